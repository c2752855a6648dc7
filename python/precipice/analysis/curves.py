"""Recorded loss and sharpness as events are read off them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from precipice.errors import InvalidArgument

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True)
class LossCurve:
    """The recorded loss; its logarithm is NaN where it is, and -inf where it is zero."""

    step: Steps
    value: Floats
    log2: Floats

    @classmethod
    def build(cls, step: ArrayLike, value: ArrayLike, log2: ArrayLike | None) -> LossCurve:
        """Return the curve of a recorded series."""
        steps, values = read_series("loss", step, value)
        if log2 is None:
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log2(values)
        else:
            logs = read_series("loss_log2", steps, log2)[1]
        return cls(steps, values, logs)

    def at_or_before(self, step: int) -> float:
        """Return log2 of the last loss recorded up to `step` (NaN if there is none)."""
        index = int(np.searchsorted(self.step, step, side="right")) - 1
        return float(self.log2[index]) if index >= 0 else math.nan

    def recorded_within(self, first: int, last: int) -> bool:
        """Return whether a loss that is a number was recorded within [first, last]."""
        low, high = np.searchsorted(self.step, [first, last + 1])
        return not np.isnan(self.log2[low:high]).all()

    def largest(self, first: int, last: int) -> tuple[int | None, float, float]:
        """Return (step, loss, log2 loss) of the largest loss above zero within [first, last]."""
        low, high = np.searchsorted(self.step, [first, last + 1])
        # A NaN loss (after Inf - Inf) is no spike.
        logs = np.where(np.isnan(self.log2[low:high]), -np.inf, self.log2[low:high])
        if low == high or np.max(logs) == -np.inf:
            return None, math.nan, math.nan
        index = int(low + np.argmax(logs))
        return int(self.step[index]), float(self.value[index]), float(self.log2[index])


@dataclass(frozen=True)
class SharpnessCurve:
    """The recorded sharpness before a blow-up, and the pair means that exist."""

    step: Steps
    value: Floats
    pair_step: Steps
    pair_mean: Floats
    threshold: Floats
    pair_threshold: Floats

    @classmethod
    def build(
        cls, step: Steps, value: Floats, threshold: Floats, blowup_step: int | None
    ) -> SharpnessCurve:
        """Return the curve of a recorded series, as far as events may read it.

        The threshold of a pair is the mean of its two, so that one of a pair whose mean is above
        it is above its own.
        """
        if blowup_step is not None:
            before = step < blowup_step
            step, value, threshold = step[before], value[before], threshold[before]
        paired = np.flatnonzero(np.diff(step) == 1)
        with np.errstate(invalid="ignore", over="ignore"):
            # Halved first: the sum of two large sharpnesses may overflow, their mean does not.
            mean, between = (
                0.5 * curve[paired] + 0.5 * curve[paired + 1] for curve in (value, threshold)
            )
        return cls(step, value, step[paired], mean, threshold, between)

    @property
    def started_above(self) -> bool:
        """Whether the sharpness at step 0 is at or above a finite threshold."""
        first = self.threshold[:1]
        above = (self.step[:1] == 0) & (self.value[:1] >= first) & np.isfinite(first)
        return bool(above.any())

    def excursions(self, merge: int) -> list[tuple[int, int]]:
        """Return the (first, last) indices into the pair means of every excursion."""
        above = (self.pair_mean >= self.pair_threshold) & np.isfinite(self.pair_threshold)
        edges = np.diff(np.concatenate(([False], above, [False])).astype(np.int8))
        found: list[tuple[int, int]] = []
        for first, last in zip(
            np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True
        ):
            if found and self.pair_step[first] - self.pair_step[found[-1][1]] - 1 < merge:
                found[-1] = (found[-1][0], int(last))
            else:
                found.append((int(first), int(last)))
        return found

    def within(self, first: int, last: int) -> slice:
        """Return the slice of the recorded steps within [first, last]."""
        low, high = np.searchsorted(self.step, [first, last + 1])
        return slice(int(low), int(high))


def read_series(name: str, step: ArrayLike, value: ArrayLike) -> tuple[Steps, Floats]:
    """Return steps and values as arrays after checking that they are a series."""
    steps = np.asarray(step, dtype=np.int64)
    values = np.asarray(value, dtype=np.float64)
    if steps.ndim != 1 or steps.shape != values.shape:
        shapes = f"steps {steps.shape}, values {values.shape}"
        raise InvalidArgument(name, shapes, "steps and values must be vectors of one length")
    if steps.size and (steps[0] < 0 or np.any(np.diff(steps) <= 0)):
        raise InvalidArgument(name, steps, "steps must be non-negative and strictly ascending")
    return steps, values
