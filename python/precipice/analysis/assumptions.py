"""What Wang, Li and Li (2022) assume of a run, as plain numbers from its recorded columns.

Each function takes columns as a run of the two-layer linear network records them
(`precipice.curvature.QUANTITIES`) and returns numbers; whether an assumption holds follows from
them, and where it fails the step says where. Columns may be cut to one phase of the run
(`precipice.analysis.phases`) before they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from precipice.analysis.curves import Floats, Steps, read_series
from precipice.errors import InvalidArgument
from precipice.exact import whole_number


class Extreme(NamedTuple):
    """The largest or the smallest value of a column, and the first step that has it."""

    value: float
    step: int


class FirstOrder(NamedTuple):
    """How far updates are from their first-order approximation (assumption 3.2, figure 15).

    Attributes
    ----------
    largest : Extreme
        The largest ratio |higher order| / |first order|.
    median : float
        The median ratio: the assumption is about most steps.
    smaller : float
        The share of the steps at which the higher orders are the smaller part.
    """

    largest: Extreme
    median: float
    smaller: float


class Alignment(NamedTuple):
    """How far the top eigenvector of M turns (assumption 3.5, figure 17).

    Attributes
    ----------
    smallest : Extreme
        The smallest |⟨v_1(t), v_1(0)⟩|.
    epsilon_2 : Extreme
        The largest 1 - |⟨v_1(t), v_1(t+1)⟩| (part iii), at t + 1; NaN where no two consecutive
        steps were recorded.
    """

    smallest: Extreme
    epsilon_2: Extreme


class Assumptions(NamedTuple):
    """The numbers of every assumption about a run.

    Attributes
    ----------
    residual, norm : FirstOrder
        3.2: of D and of ‖A‖².
    alignment : Alignment
        3.5.
    second_eigenvalue : Extreme
        3.7: the largest η λ_2(M), to be below 1.
    gamma : Extreme
        4.3: the largest m ‖Γ‖, the constant c_2.
    """

    residual: FirstOrder
    norm: FirstOrder
    alignment: Alignment
    second_eigenvalue: Extreme
    gamma: Extreme


class SpectrumRatios(NamedTuple):
    """Ratios of neighbouring eigenvalues of XXᵀ (assumption 4.1).

    Attributes
    ----------
    chi : float
        χ = max λ_i / λ_{i+1} over the positive eigenvalues.
    position : int
        The first i that has it, 1 for λ_1 / λ_2.
    first : float
        λ_1 / λ_2, which the assumption wants to be at least 2.
    """

    chi: float
    position: int
    first: float


def first_order(step: ArrayLike, first: ArrayLike, higher: ArrayLike) -> FirstOrder:
    """Return how well the first order alone describes the updates (assumption 3.2).

    Parameters
    ----------
    step : array_like of int, shape (T,)
    first, higher : array_like, shape (T,)
        ``residual_first_order`` and ``residual_higher_order``, or ``norm_A2_first_order`` and
        ``norm_A2_higher_order``; signs do not count, NaN is left out.

    Raises
    ------
    InvalidArgument
        If the columns are not of one length, or nothing in them is a number.

    Notes
    -----
    A step at which the first order is zero counts as an infinite ratio, one at which both are as
    none.
    """
    steps, leading = read_series("first", step, first)
    _, rest = read_series("higher", step, higher)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(rest) / np.abs(leading)
    largest = _extreme("first", steps, ratio, largest=True)
    known = ratio[~np.isnan(ratio)]
    return FirstOrder(largest, float(np.median(known)), float(np.mean(known < 1)))


def alignment(step: ArrayLike, v1_alignment: ArrayLike, v1_step_alignment: ArrayLike) -> Alignment:
    """Return how far the top eigenvector turns (assumption 3.5 iii).

    Parameters
    ----------
    step : array_like of int, shape (T,)
    v1_alignment, v1_step_alignment : array_like, shape (T,)
        ⟨v_1(t), v_1(0)⟩, and ⟨v_1(t), v_1⟩ with that of the row before. The sign of an eigenvector
        means nothing and is ignored.

    Raises
    ------
    InvalidArgument
        If the columns are not of one length, or no alignment with v_1(0) is a number.
    """
    steps, values = read_series("v1_alignment", step, v1_alignment)
    _, turns = read_series("v1_step_alignment", step, v1_step_alignment)
    smallest = _extreme("v1_alignment", steps, np.abs(values), largest=False)
    following = np.flatnonzero(np.diff(steps) == 1) + 1
    turned = 1 - np.abs(turns[following])
    if np.isnan(turned).all():
        return Alignment(smallest, Extreme(float("nan"), int(steps[0])))
    return Alignment(
        smallest, _extreme("v1_step_alignment", steps[following], turned, largest=True)
    )


def second_eigenvalue(step: ArrayLike, lambda_2: ArrayLike, *, lr: float) -> Extreme:
    """Return the largest η λ_2(M): below 1, assumption 3.7 holds (figures 3a and 14).

    Raises
    ------
    InvalidArgument
        If the columns are not of one length, or nothing in them is a number.
    """
    steps, values = read_series("lambda_2", step, lambda_2)
    return _extreme("lambda_2", steps, lr * values, largest=True)


def spectrum_ratios(eigenvalues: ArrayLike, *, tolerance: float = 1e-12) -> SpectrumRatios:
    """Return χ and λ_1/λ_2 of XXᵀ (assumption 4.1, figures 18 and 19).

    Parameters
    ----------
    eigenvalues : array_like, shape (N,)
        In any order.
    tolerance : float
        Eigenvalues up to this part of the largest count as zero and are left out: centred data
        has one, and rounding leaves it at 1e-16.

    Raises
    ------
    InvalidArgument
        If fewer than two eigenvalues are positive.
    """
    values = np.sort(np.asarray(eigenvalues, dtype=np.float64).ravel())[::-1]
    positive = values[values > tolerance * values[0]] if values.size else values
    if positive.size < 2:
        rule = "must have at least two above zero for a ratio"
        raise InvalidArgument("eigenvalues", f"{positive.size} above zero", rule)
    ratios = positive[:-1] / positive[1:]
    largest = int(np.argmax(ratios))
    return SpectrumRatios(float(ratios[largest]), largest + 1, float(ratios[0]))


def gamma_constant(step: ArrayLike, gamma_norm: ArrayLike, *, width: int) -> Extreme:
    """Return the largest m ‖Γ(t)‖, the constant c_2 of assumption 4.3 (figure 20).

    It depends on the initialisation, by which ‖Γ(0)‖ = 0 or not; state it beside the number.

    Raises
    ------
    InvalidArgument
        If the columns are not of one length, nothing in them is a number, or `width` is below 1.
    """
    steps, values = read_series("gamma_norm", step, gamma_norm)
    return _extreme("gamma_norm", steps, whole_number(width, "width", 1) * values, largest=True)


def check_assumptions(
    step: ArrayLike, columns: Mapping[str, ArrayLike], *, lr: float, width: int
) -> Assumptions:
    """Return the numbers of every assumption about a run, from its recorded quantities.

    Parameters
    ----------
    step : array_like of int, shape (T,)
    columns : mapping of str to array_like, shape (T,)
        As `precipice.curvature.Quantities` has them.
    lr : float
        η.
    width : int
        m.

    Raises
    ------
    InvalidArgument
        As the functions above.
    """
    residual, norm = (
        first_order(step, columns[f"{name}_first_order"], columns[f"{name}_higher_order"])
        for name in ("residual", "norm_A2")
    )
    return Assumptions(
        residual,
        norm,
        alignment(step, columns["v1_alignment"], columns["v1_step_alignment"]),
        second_eigenvalue(step, columns["lambda_2"], lr=lr),
        gamma_constant(step, columns["gamma_norm"], width=width),
    )


def _extreme(name: str, step: Steps, value: Floats, *, largest: bool) -> Extreme:
    """Return the first extreme value that is a number."""
    if np.isnan(value).all():
        raise InvalidArgument(name, f"{value.size} values", "must hold at least one number")
    index = int(np.nanargmax(value) if largest else np.nanargmin(value))
    return Extreme(float(value[index]), int(step[index]))
