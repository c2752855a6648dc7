"""Tables 1-4 and 11-15 of Yoo et al. 2025 on CIFAR-10's cats and dogs, beside the printed numbers.

Every table is a mean and a standard deviation over 50 balanced random subsets, of quantities that
the theory of the minimalist model takes from the data alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice import theory
from precipice.exact import whole_number
from precipice.losses import curvature_factor
from precipice.problems.cifar10_files import LabelledImages, read_images
from precipice.reproduce.entries import Entry, Tables, entry
from precipice.reproduce.subsets import (
    SubsetSpectrum,
    check_sizes,
    sampled_sharpness,
    subset_spectrum,
)

FloatArray = npt.NDArray[np.float64]
_Formula = Callable[[SubsetSpectrum, np.random.Generator], "float | FloatArray"]

SIZES = (100, 300, 500, 1000)
"""The paper's N."""
SUBSETS = 50
"""The paper's number of subsets of each size."""
STARTS = 400
"""Random starts a subset in table 13."""


@dataclass(frozen=True)
class Quantity:
    """One row of a table of the paper.

    Parameters
    ----------
    table : int
    symbol : str
    formula : callable
        Takes a `SubsetSpectrum` and a random generator, returns a number or an array of them;
        mean and standard deviation are over all numbers of all subsets.
    printed : mapping of int to str
        The paper's "mean(std)" by N.
    """

    table: int
    symbol: str
    formula: _Formula
    printed: Mapping[int, str]


def tables(
    path: str | os.PathLike[str],
    *,
    subsets: int = SUBSETS,
    sizes: Sequence[int] = SIZES,
    progress: Callable[[int, int], None] | None = None,
) -> Tables:
    """Return the paper's tables 1-4 and 11-15 for CIFAR-10's cats and dogs.

    Parameters
    ----------
    path : path
        CIFAR-10's training images, in any form that `precipice.problems.cifar10` reads.
    subsets : int
        Subsets a size. Subset k of N images is that of ``cifar10(path, n=N, seed=k)``.
    sizes : sequence of int
        N, each even.
    progress : callable, optional
        Called with the number of subsets done and of all, after each.

    Returns
    -------
    Tables

    Raises
    ------
    InvalidArgument
        If the file cannot be used or has no cats or dogs, a size is odd or larger than the data,
        or there is nothing to do.

    Notes
    -----
    Standardised per channel with the statistics of the N images; alpha² = 1/(3d), beta² = 1/3
    (appendix C.7). All of it takes about 12 seconds on two cores, most of them at N = 1000.
    """
    subsets = whole_number(subsets, "subsets", 1)
    data = read_images(path)
    sizes = check_sizes(data, sizes)
    entries: list[Entry] = []
    for done, n in enumerate(sizes):
        columns: list[list[float | FloatArray]] = [[] for _ in QUANTITIES]
        for seed in range(subsets):
            spectrum = subset_spectrum(data, n, seed)
            generator = np.random.default_rng((seed, n))
            for column, quantity in zip(columns, QUANTITIES, strict=True):
                column.append(quantity.formula(spectrum, generator))
            if progress is not None:
                progress(done * subsets + seed + 1, subsets * len(sizes))
        for column, q in zip(columns, QUANTITIES, strict=True):
            values = np.concatenate([np.atleast_1d(value) for value in column])
            entries.append(entry(q.table, q.symbol, n, values, q.printed.get(n)))
    entries.sort(key=_position)
    return Tables(tuple(entries), _settings(data, subsets, sizes), _caption(subsets))


def _difficulty(data: SubsetSpectrum, _: np.random.Generator) -> float:
    return theory.difficulty(data)


def _threshold(data: SubsetSpectrum, _: np.random.Generator) -> float:
    return theory.imbalance_threshold(data)


def _of_depth(
    formula: Callable[[SubsetSpectrum, int, float], float], depth: int
) -> Callable[[SubsetSpectrum, np.random.Generator], float]:
    """Return a formula of tables 3 and 4 for one depth."""

    def evaluate(data: SubsetSpectrum, _: np.random.Generator) -> float:
        return formula(data, depth, curvature_factor("half_mean", data.samples))

    return evaluate


def _of_bounds(
    formula: Callable[..., theory.Bounds], *, gap: bool
) -> Callable[[SubsetSpectrum, np.random.Generator], float]:
    """Return the lower bound of Theorem 5.6 or 5.7, or what lies between its two bounds."""

    def evaluate(data: SubsetSpectrum, _: np.random.Generator) -> float:
        factor = curvature_factor("half_mean", data.samples)
        bounds = formula(data, *_deviations(data), factor)
        return float(bounds.upper - bounds.lower if gap else bounds.lower)

    return evaluate


def _sampled(data: SubsetSpectrum, generator: np.random.Generator) -> FloatArray:
    return sampled_sharpness(data, *_deviations(data), generator, STARTS)


def _row(*printed: str) -> dict[int, str]:
    """Return a table's row by N."""
    return dict(zip(SIZES, printed, strict=True))


_INITIAL, _CONVERGED = theory.initial_sharpness_bounds, theory.converged_sharpness_bounds
_PREDICTED = {
    2: _row("365(61)", "1017(91)", "1851(128)", "5243(296)"),
    3: _row("283(53)", "1111(114)", "2465(202)", "9876(662)"),
    4: _row("249(50)", "1161(127)", "2845(252)", "13555(983)"),
    5: _row("231(48)", "1193(136)", "3101(287)", "16391(1244)"),
}
_GAPS = {
    2: _row("2.18(0.18)", "0.77(0.04)", "0.43(0.02)", "0.15(0.01)"),
    3: _row("3.36(0.19)", "1.68(0.05)", "1.13(0.03)", "0.56(0.01)"),
    4: _row("4.42(0.18)", "2.63(0.06)", "1.96(0.04)", "1.16(0.02)"),
    5: _row("5.46(0.18)", "3.60(0.07)", "2.84(0.05)", "1.87(0.03)"),
}

QUANTITIES = (
    Quantity(1, "Q", _difficulty, {100: "0.22(0.04)", 300: "1.70(0.16)", 1000: "44.44(3.32)"}),
    Quantity(
        2, "C̃", _threshold, _row("6.0(1.2)", "47.4(5.3)", "155.9(15.4)", "1246.1(100.2)")
    ),
    *(
        Quantity(3, f"Ŝ_{depth}", _of_depth(theory.predicted_sharpness, depth), printed)
        for depth, printed in _PREDICTED.items()
    ),
    *(
        Quantity(4, f"gap term, D = {depth}", _of_depth(theory.gap_term, depth), printed)
        for depth, printed in _GAPS.items()
    ),
    Quantity(
        11, "E S(θ(0)), lower bound", _of_bounds(_INITIAL, gap=False),
        _row("262.57(29.72)", "260.42(15.41)", "261.94(12.15)", "261.93(9.16)"),
    ),
    Quantity(
        12, "E S(θ(0)), gap of bounds", _of_bounds(_INITIAL, gap=True),
        _row("8.91(1.03)", "7.44(0.47)", "7.18(0.36)", "7.00(0.27)"),
    ),
    Quantity(
        13, "S(θ(0)), sampled", _sampled,
        _row("266.56(388.70)", "264.07(383.16)", "265.37(384.81)", "265.40(384.68)"),
    ),
    Quantity(
        14, "E S(θ*), lower bound", _of_bounds(_CONVERGED, gap=False),
        _row("514.11(75.15)", "1141.41(97.49)", "1964.56(132.45)", "5325.42(298.65)"),
    ),
    Quantity(
        15, "E S(θ*), gap of bounds", _of_bounds(_CONVERGED, gap=True),
        _row("44.16(4.46)", "17.15(1.00)", "9.64(0.57)", "3.42(0.15)"),
    ),
)  # fmt: skip
"""Every row of tables 1-4 and 11-15 for CIFAR-10, with the paper's numbers."""


def _deviations(data: SubsetSpectrum) -> tuple[float, float]:
    """Return alpha and beta of appendix C.7: the variances of PyTorch's default start."""
    return float(1 / np.sqrt(3 * data.features)), float(1 / np.sqrt(3))


def _position(found: Entry) -> tuple[int, str]:
    """Return what brings the rows together, each with its sizes in the order asked for."""
    return found.table, found.symbol


def _settings(data: LabelledImages, subsets: int, sizes: Sequence[int]) -> dict[str, Any]:
    """Return the definitions that travel with the numbers."""
    return {
        "paper": "Yoo, Song and Yun 2025, tables 1-4 and 11-15, CIFAR-10",
        "files": data.files,
        "classes": ["cat", "dog"],
        "subsets": subsets,
        "sizes": list(sizes),
        "subset": "balanced, numpy.random.default_rng(k) for subset k = 0, 1, …",
        "standardisation": "per channel with the statistics of the N images",
        "loss": "half_mean",
        "alpha_squared": "1/(3d)",
        "beta_squared": "1/3",
        "starts": STARTS,
        "std": "divides by the count",
        "decomposition": "eigenvectors of X Xᵀ in float64",
    }


def _caption(subsets: int) -> str:
    """Return the definitions that a reader of the numbers needs."""
    return (
        f"{subsets} balanced random subsets a size, mean(std), standardised per channel with the "
        "subset's statistics;\nalpha² = 1/(3d), beta² = 1/3; loss half_mean = ‖z‖²/(2N)."
    )
