"""The digits of what is read off a measured sharpness."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from precipice.digits import supported, supported_value

if TYPE_CHECKING:
    from precipice.analysis.events import Catapult, Events
    from precipice.results import Series


@dataclass(frozen=True, eq=False)
class SharpnessDigits:
    """The digits of numbers that were read off a measured sharpness.

    Parameters
    ----------
    series : Series or None
        The sharpness; without residuals, every digit is supported.
    """

    series: Series | None

    def residual(self, step: int, scale: float = 1.0) -> float | None:
        """Return a bound on the error of S̄ or S at a step, or of it times `scale`."""
        if self.series is None or self.series.residual is None:
            return None
        near = (self.series.step == step) | (self.series.step == step + 1)
        return scale * float(np.max(self.series.residual[near], initial=0.0))

    def text(self, value: float, step: int, most: int, scale: float = 1.0, **how: Any) -> str:
        """Return `supported` of a value at a step."""
        return supported(value, self.residual(step, scale), most, **how)

    def last_text(self, most: int) -> str | None:
        """Return the last value as text; None if there is none."""
        last = self.last()
        return last and supported(*last, most)

    def last(self) -> tuple[float, float | None] | None:
        """Return the last value and its residual; None if there is none."""
        if self.series is None or not self.series.value.size:
            return None
        bounds = self.series.residual
        return float(self.series.value[-1]), None if bounds is None else float(bounds[-1])

    def overshoot_text(self, found: Catapult, most: int, **how: Any) -> str:
        """Return `supported` of an excursion's overshoot, its peak over the threshold."""
        return supported(found.overshoot, self._overshoot_residual(found), most, **how)

    def _overshoot_residual(self, found: Catapult) -> float | None:
        return self.residual(found.peak_step, found.overshoot / found.peak_sharpness)

    def events(self, events: Events) -> Events:
        """Return events whose numbers have no unsupported digit; NaN where none is supported."""
        if self.series is None or self.series.residual is None:
            return events
        catapults = tuple(
            replace(
                found,
                peak_sharpness=supported_value(
                    found.peak_sharpness, self.residual(found.peak_step)
                ),
                peak_sharpness_raw=supported_value(
                    found.peak_sharpness_raw, self.residual(found.peak_step_raw)
                ),
                overshoot=supported_value(found.overshoot, self._overshoot_residual(found)),
            )
            for found in events.catapults
        )
        blowup = events.blowup
        if blowup is not None:
            sharpness = supported_value(blowup.sharpness, self.residual(blowup.step))
            blowup = replace(blowup, sharpness=sharpness)
        return replace(events, catapults=catapults, blowup=blowup)
