"""Crossings, catapults and blow-ups, read off the recorded loss and sharpness.

During a catapult the sharpness oscillates with period 2, so everything that compares with the
threshold over an interval uses the pair mean S̄_t = (S_t + S_{t+1})/2, which exists where both t
and t + 1 were recorded. The threshold is 2/η with η as rounded to the working format (momentum has
another; see `precipice.optimizers`). With a schedule it varies, and each step has its own.

The definitions follow the catapult picture of Lewkowycz et al. (2020) and the precision
experiments of Yoo, Song and Yun (2025), appendix D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from precipice.analysis.curves import Floats, LossCurve, SharpnessCurve, Steps, read_series
from precipice.errors import InvalidArgument


@dataclass(frozen=True)
class Catapult:
    """One excursion of the pair mean S̄ above the threshold.

    Attributes
    ----------
    kind : str
        ``"catapult"``: the loss rose to at least ``spike_factor`` times its value at `start`;
        ``"gentle"``: it did not; ``"open"``: it had not when the run ended, before `end` + merge;
        ``"unknown"``: no loss to tell by was recorded, neither at nor before `start`, or none
        after it up to `end` + merge, or the loss at `start` is NaN or infinite.
    start, end : int, int or None
        First and last step with S̄ at or above the threshold; `end` is None if the run ended
        inside the excursion.
    crossing : int
        First step with S at or above the threshold: `start` or the step after.
    peak_step, peak_sharpness : int, float
        Where S̄ is largest, and S̄ there.
    peak_step_raw, peak_sharpness_raw : int, float
        The same of S itself, over the steps that the excursion's pairs cover.
    spike_step, spike_loss, spike_log2_loss : int or None, float, float
        The largest loss from `start` to `end` + merge; the logarithm stays finite where the
        float64 value underflows. None and NaN where no loss above zero was recorded there.
    drop_step : int or None
        First step with S below the threshold at or after `peak_step`.
    delay : int or None
        `drop_step` - `crossing`, in steps.
    overshoot : float
        η · `peak_sharpness` / 2, or the peak over the threshold there: 1 at the threshold.
    """

    kind: str
    start: int
    crossing: int
    peak_step: int
    peak_sharpness: float
    peak_step_raw: int
    peak_sharpness_raw: float
    spike_step: int | None
    spike_loss: float
    spike_log2_loss: float
    drop_step: int | None
    end: int | None
    delay: int | None
    overshoot: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON object; numbers that are not finite become None."""
        return _json_object(self)


@dataclass(frozen=True)
class Blowup:
    """Where a run blew up.

    Attributes
    ----------
    step : int
        The step at which the run was ended.
    loss, sharpness : float
        The values recorded at that step; NaN where none was.
    excursion : int or None
        Index in `Events.catapults` of the excursion it happened in (from its start to its end +
        merge); None if it happened outside every excursion.
    """

    step: int
    loss: float
    sharpness: float
    excursion: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON object; numbers that are not finite become None."""
        return _json_object(self)


@dataclass(frozen=True)
class Events:
    """What happened in a run, with the thresholds that were used to say so.

    Attributes
    ----------
    started_above : bool
        The sharpness at step 0 was at or above the threshold.
    crossing : int or None
        First step known to be at or above the threshold: 0 if the run started above (which a
        single step may do without an excursion), else the first excursion's crossing.
    catapults : tuple of Catapult
        All excursions in order, whatever their kind.
    blowup : Blowup or None
    threshold, merge, spike_factor : float, int, float
        The arguments of `find_events`; a threshold that varies is the first step's.
    measured : bool
        Whether any sharpness was recorded; without it, no excursion means nothing.
    """

    started_above: bool
    crossing: int | None
    catapults: tuple[Catapult, ...]
    blowup: Blowup | None
    threshold: float
    merge: int
    spike_factor: float
    measured: bool

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object; numbers that are not finite become None."""
        return {
            "measured": self.measured,
            "started_above": self.started_above,
            "crossing": self.crossing,
            "catapults": [catapult.to_dict() for catapult in self.catapults],
            "blowup": None if self.blowup is None else self.blowup.to_dict(),
            "threshold": _finite_or_none(self.threshold),
            "merge": self.merge,
            "spike_factor": _finite_or_none(self.spike_factor),
        }


def find_events(
    loss_step: ArrayLike,
    loss_value: ArrayLike,
    loss_log2: ArrayLike | None,
    sharpness_step: ArrayLike,
    sharpness_value: ArrayLike,
    *,
    threshold: ArrayLike,
    lr: float | None,
    last_step: int,
    blowup_step: int | None,
    merge: int = 20,
    spike_factor: float = 2.0,
) -> Events:
    """Find the excursions of the sharpness above the threshold, their spikes, and the blow-up.

    Parameters
    ----------
    loss_step, loss_value : array_like, shape (T,)
        Ascending steps at which the loss was recorded, and the loss.
    loss_log2 : array_like, shape (T,), or None
        log2 of the loss; None takes it from `loss_value` (wrong below 1e-308).
    sharpness_step, sharpness_value : array_like, shape (U,)
        Ascending steps at which the sharpness S was recorded, and S. With a cadence above 1,
        record consecutive pairs: a step whose successor is missing has no pair mean.
    threshold : float or array_like, shape (U,)
        2/η with η as rounded to the working format, or that of each recorded sharpness; infinite
        where there is none.
    lr : float or None
        That η; used for the overshoot. None takes the peak over its threshold.
    last_step : int
        The step at which the run ended.
    blowup_step : int or None
        The step b of a blow-up. S and drops are then read at t < b only, pair means at t + 1 < b.
    merge : int
        Two intervals with fewer than `merge` steps between them are one excursion.
    spike_factor : float
        The rise of the loss, relative to its value at the excursion's start (the last recorded
        one, if the loss was not recorded there), from which an excursion is a catapult.

    Returns
    -------
    Events

    Raises
    ------
    InvalidArgument
        If a series is not one-dimensional, ascending and of one length, or a number is out of
        range.

    Notes
    -----
    Costs O(T + U) a call and allocates a few arrays of that size.
    """
    thresholds = np.asarray(threshold, dtype=np.float64)
    _check_numbers(thresholds, lr, last_step, merge, spike_factor)
    loss = LossCurve.build(loss_step, loss_value, loss_log2)
    steps, values = read_series("sharpness", sharpness_step, sharpness_value)
    if thresholds.ndim and thresholds.shape != steps.shape:
        raise InvalidArgument("threshold", thresholds.shape, f"must have the shape {steps.shape}")
    along = np.broadcast_to(thresholds, steps.shape)
    sharpness = SharpnessCurve.build(steps, values, along, blowup_step)
    catapults = tuple(
        _describe(sharpness, loss, interval, lr, last_step, merge, spike_factor)
        for interval in sharpness.excursions(merge)
    )
    started_above = sharpness.started_above
    crossing = 0 if started_above else (catapults[0].crossing if catapults else None)
    blowup = None
    if blowup_step is not None:
        blowup = Blowup(
            step=int(blowup_step),
            loss=_value_at(loss.step, loss.value, blowup_step),
            sharpness=_value_at(steps, values, blowup_step),
            excursion=_excursion_of(blowup_step, catapults, merge),
        )
    return Events(
        started_above,
        crossing,
        catapults,
        blowup,
        float(thresholds.flat[0]) if thresholds.size else math.nan,
        int(merge),
        float(spike_factor),
        measured=bool(steps.size),
    )


def _describe(
    sharpness: SharpnessCurve,
    loss: LossCurve,
    interval: tuple[int, int],
    lr: float | None,
    last_step: int,
    merge: int,
    spike_factor: float,
) -> Catapult:
    """Describe the excursion that covers the given indices of the pair means."""
    first, last = interval
    start, final = int(sharpness.pair_step[first]), int(sharpness.pair_step[last])
    ended = last + 1 < sharpness.pair_step.size
    means = sharpness.pair_mean[first : last + 1]
    # Gaps that were merged may hold NaN; the interval's own ends never do.
    peak = first + int(np.nanargmax(means))
    peak_step, peak_sharpness = int(sharpness.pair_step[peak]), float(sharpness.pair_mean[peak])

    covered = sharpness.within(start, final + 1)
    raw_step, raw = sharpness.step[covered], sharpness.value[covered]
    raw_peak = int(np.nanargmax(raw))
    # One of S_start, S_{start+1} reaches the threshold because their mean does (but for rounding,
    # where the threshold varies).
    reached = np.flatnonzero(raw >= sharpness.threshold[covered])
    crossing = int(raw_step[reached[0]]) if reached.size else start

    after = sharpness.within(peak_step, last_step)
    below = np.flatnonzero(sharpness.value[after] < sharpness.threshold[after])
    drop_step = int(sharpness.step[after][below[0]]) if below.size else None

    window_end = min(final + merge, last_step) if ended else last_step
    spike_step, spike_loss, spike_log2 = loss.largest(start, window_end)
    return Catapult(
        kind=_kind(
            loss,
            start,
            window_end,
            complete=ended and last_step >= final + merge,
            spike_log2=spike_log2,
            spike_factor=spike_factor,
        ),
        start=start,
        crossing=crossing,
        peak_step=peak_step,
        peak_sharpness=peak_sharpness,
        peak_step_raw=int(raw_step[raw_peak]),
        peak_sharpness_raw=float(raw[raw_peak]),
        spike_step=spike_step,
        spike_loss=spike_loss,
        spike_log2_loss=spike_log2,
        drop_step=drop_step,
        end=final if ended else None,
        delay=None if drop_step is None else drop_step - crossing,
        overshoot=peak_sharpness / float(sharpness.pair_threshold[peak])
        if lr is None
        else lr * peak_sharpness / 2,
    )


def _kind(
    loss: LossCurve,
    start: int,
    window_end: int,
    *,
    complete: bool,
    spike_log2: float,
    spike_factor: float,
) -> str:
    """Return an excursion's kind; nothing is said of a rise without a loss at either end of it."""
    reference = loss.at_or_before(start)
    no_reference = math.isnan(reference) or reference == math.inf
    if no_reference or not loss.recorded_within(start + 1, window_end):
        return "unknown"
    # In log2, so that losses below 1e-308 are compared as well as any; NaN is no spike.
    if spike_log2 >= reference + math.log2(spike_factor):
        return "catapult"
    return "gentle" if complete else "open"


def _excursion_of(step: int, catapults: tuple[Catapult, ...], merge: int) -> int | None:
    """Return the index of the excursion whose span, to its end + merge, holds the step."""
    for index, catapult in enumerate(catapults):
        if catapult.start <= step and (catapult.end is None or step <= catapult.end + merge):
            return index
    return None


def _check_numbers(
    threshold: Floats, lr: float | None, last_step: int, merge: int, spike_factor: float
) -> None:
    for name, number in (("threshold", threshold), ("lr", lr), ("spike_factor", spike_factor)):
        if number is not None and not np.all(np.asarray(number) > 0):
            raise InvalidArgument(name, number, "must be a positive number")
    for name, count in (("last_step", last_step), ("merge", merge)):
        if count < 0:
            raise InvalidArgument(name, count, "must be zero or more steps")


def _value_at(steps: Steps, values: Floats, step: int) -> float:
    """Return the value recorded at a step, NaN if none was."""
    index = int(np.searchsorted(steps, step))
    return float(values[index]) if index < steps.size and steps[index] == step else math.nan


def _finite_or_none(value: object) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json_object(record: Catapult | Blowup) -> dict[str, Any]:
    return {name: _finite_or_none(value) for name, value in vars(record).items()}
