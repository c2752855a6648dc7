"""Arrays of exact numbers: float64 buffers where float64 holds every entry, else objects."""

from __future__ import annotations

from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.exact import Exact, exact

_LARGEST_INTEGER_IN_FLOAT64 = 2**53


def exact_array(
    values: Any, argument: str, shape: tuple[int | None, ...] | None = None
) -> npt.NDArray[Any]:
    """Return `values` as an array of exact numbers.

    Parameters
    ----------
    values : array_like
        Anything `exact` reads, nested to any depth; no entry is rounded.
    argument : str
        The argument's name, for the error message.
    shape : tuple of int or None, optional
        The required shape; ``None`` inside it leaves one length free.

    Returns
    -------
    ndarray
        float64, C-contiguous, when float64 holds every entry; otherwise an object array of
        `Exact`. A float64 argument comes back without a copy when it already is contiguous.

    Raises
    ------
    InvalidArgument
        If an entry is no finite number (the message names its index) or masked, or the shape is
        wrong.

    Notes
    -----
    Arrays of floats and integers are checked as buffers. Everything else is read entry by entry,
    a few microseconds each.
    """
    array = _as_array(values, argument)
    if shape is not None and not _fits(array.shape, shape):
        wanted = str(tuple("any" if n is None else n for n in shape)).replace("'", "")
        raise InvalidArgument(
            argument, f"array of shape {array.shape}", f"must have shape {wanted}"
        )
    narrowed = _as_float64(array)
    if narrowed is not None:
        _require_finite(narrowed, argument)
        return narrowed
    numbers = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        numbers[index] = exact(array[index], _entry(argument, index))
    if all(_float64_holds(number) for number in numbers.flat):
        return numbers.astype(np.float64)
    return numbers


def _as_array(values: Any, argument: str) -> npt.NDArray[Any]:
    """Return an array whose entries are still what the caller wrote."""
    if _holds_masked(values):
        raise InvalidArgument(argument, "masked entries", "must have no masked entry")
    if isinstance(values, np.ndarray):
        return np.asarray(values)
    try:
        # dtype=object: NumPy's common type would turn [2**60 + 1, 0.5] into rounded floats.
        array = np.array(values, dtype=object)
    except ValueError:
        array = None
    if array is None or any(isinstance(entry, (list, tuple, np.ndarray)) for entry in array.flat):
        raise InvalidArgument(argument, "ragged rows", "must be a rectangular array")
    return array


def _holds_masked(values: Any) -> bool:
    """Return whether an entry is masked: NumPy's conversions forget that."""
    if isinstance(values, (list, tuple)):
        return any(map(_holds_masked, values))
    return isinstance(values, np.ma.MaskedArray) and bool(np.ma.getmaskarray(values).any())


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        expected in (None, length) for length, expected in zip(shape, wanted, strict=True)
    )


def _as_float64(array: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Return the array as float64 if a buffer conversion is exact, else None."""
    kind = array.dtype.kind
    if array.dtype.type.__module__ == "ml_dtypes":
        return array.astype(np.float64, order="C")  # which holds all of them
    if kind == "f":
        with np.errstate(over="ignore"):
            narrowed = np.asarray(array, dtype=np.float64, order="C")
        if array.dtype.itemsize > 8 and not np.array_equal(narrowed, array, equal_nan=True):
            return None
        return narrowed
    if kind in "iu":
        limit = _LARGEST_INTEGER_IN_FLOAT64
        if array.size == 0 or (int(array.max()) <= limit and int(array.min()) >= -limit):
            return np.asarray(array, dtype=np.float64, order="C")
    elif kind == "O" and all(type(entry) in (float, np.float64) for entry in array.flat):
        return array.astype(np.float64)
    return None


def _require_finite(array: npt.NDArray[np.float64], argument: str) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise InvalidArgument(_entry(argument, index), float(array[index]), "must be finite")


def _entry(argument: str, index: tuple[int, ...]) -> str:
    return f"{argument}[{', '.join(map(str, index))}]" if index else argument


def _float64_holds(number: Exact) -> bool:
    if isinstance(number, gmpy2.mpq):
        return False
    nearest = float(number)
    return abs(nearest) != np.inf and bool(number == nearest)
