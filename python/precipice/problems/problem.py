"""A data set with exact entries, where it came from, and how the papers train on it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.exact_arrays import exact_array


@dataclass(frozen=True)
class Presets:
    """The settings a problem is meant to be trained with, as command-line text.

    Parameters
    ----------
    lr : str or None
        Learning rate, such as ``"2/50"``.
    loss : str or None
        Name of the loss.
    init : str or None
        Initialisation, such as ``"constant:0.01"``.
    steps : int or None
        Number of steps.
    """

    lr: str | None = None
    loss: str | None = None
    init: str | None = None
    steps: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the presets as JSON-able data."""
        return {"lr": self.lr, "loss": self.loss, "init": self.init, "steps": self.steps}


@dataclass(frozen=True, eq=False)
class Problem:
    """A data set (X, y) of exact numbers.

    Parameters
    ----------
    name : str
        A short name for tables and files.
    X : array_like, shape (N, d)
        Features; anything `precipice.exact.exact` reads.
    y : array_like, shape (N,)
        Targets.
    provenance : dict
        Where the numbers come from; JSON-able.
    presets : Presets
        The settings the command line uses where a flag is absent.

    Attributes
    ----------
    X, y : ndarray
        Read-only copies: float64 where float64 holds every entry, else object arrays of exact
        numbers.
    sha256 : str
        Hash of the shapes and exact values, the same however the numbers were written.

    Raises
    ------
    InvalidArgument
        If an array is empty, has the wrong number of dimensions or a non-finite entry, the
        lengths differ, or y is identically zero.
    """

    name: str
    X: npt.NDArray[Any]
    y: npt.NDArray[Any]
    provenance: dict[str, Any] = field(default_factory=dict)
    presets: Presets = field(default_factory=Presets)

    def __post_init__(self) -> None:
        X = _checked(self.X, "X", 2, "(samples, features)")
        y = _checked(self.y, "y", 1, "(samples,)")
        if y.shape[0] != X.shape[0]:
            rule = f"must have shape ({X.shape[0]},): one target for every row of X"
            raise InvalidArgument("y", f"array of shape {y.shape}", rule)
        if not any(entry != 0 for entry in y.flat):
            rule = "must not be identically zero: there is nothing to learn"
            raise InvalidArgument("y", f"{y.size} zeros", rule)
        try:
            json.dumps(self.provenance, allow_nan=False)
        except (TypeError, ValueError) as error:
            rule = f"must be JSON-able ({error})"
            raise InvalidArgument("provenance", self.provenance, rule) from None
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)

    @property
    def samples(self) -> int:
        """Return N, the number of rows of X."""
        return int(self.X.shape[0])

    @property
    def features(self) -> int:
        """Return d, the number of columns of X."""
        return int(self.X.shape[1])

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the exact values, in hexadecimal.

        Of the bytes, in this order for X and then y: a line with the name, the kind (``float64``
        or ``exact``) and the shape; then, row by row, little-endian float64 bytes or one line of
        exact text an entry. The kind follows from the values, so equal values hash equally.
        """
        digest = hashlib.sha256()
        for name, array in (("X", self.X), ("y", self.y)):
            kind = "float64" if array.dtype == np.float64 else "exact"
            digest.update(f"{name} {kind} {' '.join(map(str, array.shape))}\n".encode())
            if kind == "float64":
                digest.update(array.astype("<f8", copy=False).tobytes())
            else:
                digest.update("".join(f"{text(entry)}\n" for entry in array.flat).encode())
        return digest.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return name, shape, provenance, presets and hash as JSON-able data."""
        return {
            "name": self.name,
            "samples": self.samples,
            "features": self.features,
            "provenance": self.provenance,
            "presets": self.presets.to_dict(),
            "sha256": self.sha256,
        }

    def __repr__(self) -> str:
        """Show the shape, not the entries."""
        return f"Problem({self.name!r}, samples={self.samples}, features={self.features})"


def _checked(values: Any, name: str, dimensions: int, shape: str) -> npt.NDArray[Any]:
    """Return a read-only exact array of the required number of dimensions."""
    array = exact_array(values, name)
    if array.ndim != dimensions:
        rule = f"must be an array of shape {shape}"
        raise InvalidArgument(name, f"array of shape {array.shape}", rule)
    if array.size == 0:
        raise InvalidArgument(name, f"array of shape {array.shape}", "must not be empty")
    if array is values or array.base is not None:
        array = array.copy()
    array.flags.writeable = False
    return array
