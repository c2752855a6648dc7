"""The four phases of descent at the edge of stability, and where ‖A‖ and the sharpness disagree.

Wang, Li and Li (2022), section 3.1, describe the phases in words; the rules that decide are in
`find_phases`. Near 2/η the sharpness oscillates with period 2, so everything is read off two-step
means: Λ̄_t = (Λ_t + Λ_{t+1})/2, which exists where both t and t + 1 were recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from precipice.analysis.curves import Floats, Steps, read_series
from precipice.errors import InvalidArgument

PHASES = ("I", "II", "III", "IV")
"""The phases' names; phase k is ``PHASES[k - 1]``."""


class Interval(NamedTuple):
    """A phase and the first and last step whose pair mean belongs to it."""

    phase: str
    start: int
    end: int


@dataclass(frozen=True)
class Phases:
    """The phase of every step, with the thresholds that were used to say so.

    Attributes
    ----------
    step : ndarray of int64, shape (T,)
        The steps t at which Λ̄_t exists and is finite.
    phase : ndarray of int64, shape (T,)
        1 to 4.
    intervals : tuple of Interval
        Maximal runs of equal phase, in order.
    threshold, merge : float, int
        The arguments of `find_phases`.
    """

    step: Steps
    phase: Steps
    intervals: tuple[Interval, ...]
    threshold: float
    merge: int

    def to_dict(self) -> dict[str, Any]:
        """Return the intervals and the thresholds as a JSON object."""
        return {
            "intervals": [interval._asdict() for interval in self.intervals],
            "threshold": self.threshold,
            "merge": self.merge,
        }


class Anomalies(NamedTuple):
    """Where the sharpness and the output layer's norm change in opposite directions.

    Attributes
    ----------
    step : ndarray of int64, shape (T,)
        The steps t from which a change of both two-step means is judged.
    anomalous : ndarray of bool, shape (T,)
        sign(ΔΛ̄) ≠ sign(Δ‖A‖).
    """

    step: Steps
    anomalous: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def fraction(self) -> float:
        """Return the share of the judged steps that are anomalous; NaN if none was judged."""
        return float(np.mean(self.anomalous)) if self.step.size else float("nan")


def find_phases(
    step: ArrayLike,
    sharpness: ArrayLike,
    loss: ArrayLike,
    *,
    threshold: float,
    merge: int = 20,
) -> Phases:
    """Divide a run into Wang's phases I to IV.

    Parameters
    ----------
    step : array_like of int, shape (T,)
        Ascending steps at which both were recorded.
    sharpness, loss : array_like, shape (T,)
        Λ_t (or S_t) and L_t. Of a run that blew up at step b, give the steps before b.
    threshold : float
        2/η with η as rounded to the working format.
    merge : int
        Two excursions above the threshold with fewer than `merge` steps between them are one, as
        in `find_events`.

    Returns
    -------
    Phases

    Raises
    ------
    InvalidArgument
        If the series are not of one length, the steps not ascending, or a number is out of range.

    Notes
    -----
    With L̄_t the two-step mean of the loss:

    - An excursion is a maximal interval of Λ̄_t ≥ 2/η; its peak t* is where Λ̄ is largest.
    - **II**: from its start to t*. **III**: from t* + 1 to its end. Steps of a gap that `merge`
      joined count likewise.
    - **IV**: after its end, up to the first t with L̄_t ≤ L̄_{t*} (not included), or up to the
      next excursion.
    - **I**: all other steps.

    The paper's phase IV lasts until the loss is back at "around its value right before Phase III";
    here that value is L̄_{t*}, and being back is being no larger.
    """
    if not threshold > 0:
        raise InvalidArgument("threshold", threshold, "must be a positive number")
    if merge < 0:
        raise InvalidArgument("merge", merge, "must be zero or more steps")
    steps, values = read_series("sharpness", step, sharpness)
    _, losses = read_series("loss", step, loss)
    pair_step, mean = _pair_means(steps, values)
    known = np.isfinite(mean)
    pair_step, mean = pair_step[known], mean[known]
    excursions = _excursions(pair_step, mean >= threshold, int(merge))
    phase = _phases(mean, _pair_means(steps, losses)[1][known], excursions)
    intervals = _intervals(pair_step, phase)
    return Phases(pair_step, phase, intervals, float(threshold), int(merge))


def find_anomalies(
    step: ArrayLike,
    sharpness: ArrayLike,
    norm_A2: ArrayLike,
    *,
    resolution: float = 0.0,
) -> Anomalies:
    """Find the steps where sign(ΔΛ̄) ≠ sign(Δ‖A‖) (Wang et al., figure 2), with two-step means.

    Parameters
    ----------
    step : array_like of int, shape (T,)
        Ascending steps at which both were recorded.
    sharpness, norm_A2 : array_like, shape (T,)
        Λ_t and ‖A_t‖², whose changes have the signs of those of ‖A_t‖.
    resolution : float
        The relative error of what was recorded: where Λ̄ or the mean of ‖A‖² changes by at most
        this part of itself, the sign means nothing and the step is not judged.

    Returns
    -------
    Anomalies

    Raises
    ------
    InvalidArgument
        If the series are not of one length, the steps not ascending, or `resolution` is negative.

    Notes
    -----
    The change at t is from the mean that begins at t to the next recorded one. With every step
    recorded that is ΔΛ̄_t = (Λ_{t+2} - Λ_t)/2: the paper's own difference Λ_{t+1} - Λ_t changes
    sign every step in an oscillation of period 2, whichever way the sharpness is going.
    """
    if not resolution >= 0:
        raise InvalidArgument("resolution", resolution, "must be zero or a positive number")
    steps, values = read_series("sharpness", step, sharpness)
    _, norms = read_series("norm_A2", step, norm_A2)
    pair_step, mean = _pair_means(steps, values)
    signs, judged = [], np.ones(max(0, pair_step.size - 1), dtype=bool)
    for curve in (mean, _pair_means(steps, norms)[1]):
        with np.errstate(invalid="ignore"):
            change = np.diff(curve)
            resolved = np.abs(change) > resolution * np.abs(curve[:-1])
        judged &= np.isfinite(change) & resolved
        signs.append(np.sign(change))
    anomalous = signs[0] != signs[1]
    return Anomalies(pair_step[:-1][judged], anomalous[judged])


def _pair_means(step: Steps, value: Floats) -> tuple[Steps, Floats]:
    """Return the steps t with t + 1 recorded too, and (value_t + value_{t+1})/2 at each."""
    paired = np.flatnonzero(np.diff(step) == 1)
    with np.errstate(invalid="ignore"):
        # Halved first: the sum of two large numbers may overflow, their mean does not.
        return step[paired], 0.5 * value[paired] + 0.5 * value[paired + 1]


def _excursions(
    step: Steps, above: np.ndarray[Any, np.dtype[np.bool_]], merge: int
) -> list[tuple[int, int]]:
    """Return the (first, last) indices of every interval above, with those joined that are near."""
    edges = np.diff(np.concatenate(([False], above, [False])).astype(np.int8))
    found: list[tuple[int, int]] = []
    starts, stops = np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist()
    for first, stop in zip(starts, stops, strict=True):
        near = found and step[first] - step[found[-1][1]] - 1 < merge
        found.append((found.pop()[0] if near else first, stop - 1))
    return found


def _phases(mean: Floats, loss: Floats, excursions: list[tuple[int, int]]) -> Steps:
    """Return the phase of every pair mean."""
    phase = np.ones(mean.size, dtype=np.int64)
    starts = [first for first, _ in excursions] + [phase.size]
    for (first, last), following in zip(excursions, starts[1:], strict=True):
        peak = first + int(np.argmax(mean[first : last + 1]))
        phase[first : peak + 1] = 2
        phase[peak + 1 : last + 1] = 3
        phase[last + 1 : following] = 4
        back = np.flatnonzero(loss[last + 1 : following] <= loss[peak])
        if back.size:
            phase[last + 1 + back[0] : following] = 1
    return phase


def _intervals(step: Steps, phase: Steps) -> tuple[Interval, ...]:
    """Return the maximal runs of equal phase."""
    edges = [*np.flatnonzero(np.diff(phase, prepend=0)), phase.size]
    return tuple(
        Interval(PHASES[int(phase[first]) - 1], int(step[first]), int(step[stop - 1]))
        for first, stop in pairwise(edges)
    )
