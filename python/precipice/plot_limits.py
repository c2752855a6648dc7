"""How much of its curves a figure's panel shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from precipice.results import Run

_Floats = npt.NDArray[np.float64]
# A run that survives an excursion may peak this many times above 2/η and still be shown whole.
_TALLEST = 6.0
# Decades shown above the highest loss of the runs that did not blow up.
_DECADES_OF_BLOWUP = 3.0


def loss_limits(curves: list[tuple[Run, _Floats]]) -> tuple[float, float] | None:
    """Return limits that hold every finite loss, but only some decades of a blow-up."""
    known = [(run, exponent[~np.isnan(exponent)]) for run, exponent in curves]
    known = [(run, exponent) for run, exponent in known if exponent.size]
    if not known:
        return None
    bottom = min(float(exponent.min()) for _, exponent in known)
    top = max(float(exponent.max()) for _, exponent in known)
    calm = [exponent for run, exponent in known if run.blowup_step is None]
    reference = calm or [exponent[:1] for _, exponent in known]
    top = min(top, max(float(exponent.max()) for exponent in reference) + _DECADES_OF_BLOWUP)
    margin = 0.05 * max(top - bottom, 1.0)
    return bottom - margin, top + margin


def sharpness_limits(runs: list[Run], threshold: float, predicted: float) -> tuple[float, float]:
    """Return limits around the threshold, the prediction and the peaks of the runs that survive."""
    lines = [line for line in (threshold, predicted) if math.isfinite(line)]
    heights = [line for line in lines if line <= 2 * _TALLEST * threshold]
    if threshold == math.inf:
        # No line to look at: what the runs do is all there is.
        return _limits_of_curves(runs, heights)
    lowest = []
    for run in runs:
        assert run.sharpness is not None
        finite = run.sharpness.value[np.isfinite(run.sharpness.value)]
        if not finite.size:
            continue
        lowest.append(float(finite.min()))
        # A run that blows up goes through 4/η on its way out: what lies above is one column.
        allowed = _TALLEST if run.blowup_step is None else 2.2
        heights.append(min(float(finite.max()), allowed * threshold))
    bottom = min([0.0, *(max(low, -threshold) for low in lowest)])
    top = max([1.25 * threshold, *(1.06 * height for height in heights)])
    return bottom, top


def _limits_of_curves(runs: list[Run], heights: list[float]) -> tuple[float, float]:
    """Return limits that hold the lines and every finite sharpness."""
    values = [run.sharpness.value for run in runs if run.sharpness is not None]
    finite = np.concatenate([[0.0], *(value[np.isfinite(value)] for value in values)])
    return float(finite.min()), 1.06 * max([float(finite.max()), *heights, 1e-300])
