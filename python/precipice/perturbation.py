"""Starts that differ from another one in the last bits of their numbers.

Perturbation k of a seed moves every parameter, once it is rounded to the parameters' format, by
-1, 0 or +1 unit in its last place, each as likely as the others. The unit of x in
[2^(e-1), 2^e) is 2^(e-p), of a subnormal number the smallest one; counted at b bits, b <= p, it is
2^(e-b). Zero, and a number that would be moved to none of the format, stay as they are.
Perturbation 0 moves nothing.

The draws are words of Philox4x64-10 keyed by (seed, k) (Salmon et al. 2011), one a parameter in
order, from a counter that no draw of stochastic rounding has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.data_rounding import require_one_rounding
from precipice.errors import InvalidArgument
from precipice.exact import EXPONENT_LIMIT
from precipice.precision import Precision

_STREAM = 2**63  # the counter's last word, where stochastic rounding counts its draws from 0
DEFINITION = (
    "perturbation k: every parameter, rounded to its format, moved by -1, 0 or +1 unit in its last "
    "place (at perturbation_bits), drawn by Philox keyed (perturbation_seed, k); 0: none"
)

Start = dict[str, npt.NDArray[Any]]


def perturbed(
    start: Mapping[str, npt.NDArray[Any]],
    format_: Precision,
    number: int,
    seed: int,
    bits: int | None = None,
) -> Start:
    """Return perturbation `number` of a start, exactly.

    Parameters
    ----------
    start : mapping of str to ndarray
        float64 or exact numbers, any shapes; drawn for in this order.
    format_ : Precision
        Of the parameters, which they are rounded to first, to nearest.
    number : int
        k, from 0; 0 returns the start as it is, not rounded.
    seed : int
        From 0 to 2^64 - 1.
    bits : int, optional
        b, where the last place is counted; default the format's p.

    Raises
    ------
    InvalidArgument
        If the format's numbers have no last place of their own (double_double), or fewer bits.
    """
    check(format_, bits)
    if number == 0:
        return dict(start)
    moves = _moves(seed, number, sum(values.size for values in start.values()))
    moved, begin = {}, 0
    for name, values in start.items():
        own = moves[begin : begin + values.size].reshape(values.shape)
        moved[name] = _moved(format_.round_array(values), own, format_, bits or format_.bits)
        begin += values.size
    return moved


def check(format_: Precision, bits: int | None) -> None:
    """Refuse a format whose numbers have no such last place.

    Raises
    ------
    InvalidArgument
        Naming precision or perturbation_bits.
    """
    require_one_rounding(format_, "precision")
    if bits is not None and bits > format_.bits:
        rule = f"must be at most {format_.bits}, the bits of {format_}"
        raise InvalidArgument("perturbation_bits", bits, rule)


def _moves(seed: int, number: int, count: int) -> npt.NDArray[np.int64]:
    """Return -1, 0 or 1 for each parameter: the word w of its draw says ⌊3 w / 2^64⌋ - 1."""
    generator = np.random.Philox(
        key=np.array([seed, number], np.uint64), counter=np.array([0, 0, 0, _STREAM], np.uint64)
    )
    words = generator.random_raw(count)
    high, low = words >> np.uint64(32), words & np.uint64(2**32 - 1)
    three = np.uint64(3)
    thirds = (high * three + (low * three >> np.uint64(32))) >> np.uint64(32)
    return thirds.astype(np.int64) - 1


def _moved(
    values: npt.NDArray[Any], moves: npt.NDArray[np.int64], format_: Precision, bits: int
) -> npt.NDArray[Any]:
    """Return members of a format moved by whole units in their last places."""
    if values.dtype == np.float64 and format_.within_float64:
        return _moved_floats(values, moves, format_, bits)
    result = np.empty(values.shape, dtype=object)
    for index, x in np.ndenumerate(values):
        result[index] = _moved_number(format_.round(x), int(moves[index]), format_, bits)
    return result


def _moved_floats(
    values: npt.NDArray[np.float64], moves: npt.NDArray[np.int64], format_: Precision, bits: int
) -> npt.NDArray[np.float64]:
    _, exponent = np.frexp(values)  # MPFR's convention
    place = exponent - bits
    if format_.subnormals:
        place = np.maximum(place, format_.emin - 1)
    shift = moves * np.ldexp(1.0, place)
    with np.errstate(over="ignore", invalid="ignore"):
        neighbour = values + shift
        # |values| >= |shift|: the sum was exact if this difference is (Dekker 1971).
        inexact = neighbour - values != shift
    stays = (values == 0) | inexact | (format_.round_array(neighbour) != neighbour)
    return np.where(stays | ~np.isfinite(neighbour), values, neighbour)


def _moved_number(x: gmpy2.mpfr, move: int, format_: Precision, bits: int) -> gmpy2.mpfr:
    if x == 0 or move == 0:
        return x
    place = gmpy2.get_exp(x) - bits
    if format_.subnormals:
        place = max(place, format_.emin - 1)
    with gmpy2.context(
        precision=format_.bits + 2, emin=-EXPONENT_LIMIT - format_.bits, emax=EXPONENT_LIMIT + 1
    ):
        unit = gmpy2.mpfr(move)
        unit = gmpy2.mul_2exp(unit, place) if place >= 0 else gmpy2.div_2exp(unit, -place)
        neighbour = x + unit
    rounded = format_.round(neighbour)
    return rounded if rounded == neighbour and gmpy2.is_finite(rounded) else x
