"""Which runs a GPU carries out.

One format in all stages (float32, float64, or members of float64 of at most 25 bits, in any
rounding), orders sequential and blocked, gradient descent with a constant learning rate; the
minimalist model, and the collapsed two-layer network without biases.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from precipice.devices import PROCESSOR, Device, find
from precipice.errors import InvalidArgument
from precipice.models import TwoLayerLinear
from precipice.plan import Plan
from precipice.precision import Precision
from precipice.stepping import is_plain
from precipice.switched_plan import SwitchedPlan

_MOST_BITS = 25  # 2p + 2 <= 53: an operation of float64, rounded again, is rounded right
_ORDERS = ("sequential", "blocked")

_Plan = TypeVar("_Plan", Plan, SwitchedPlan)


def place(plan: _Plan, device: str | Device) -> _Plan:
    """Return a plan with the device that carries it out.

    Raises
    ------
    InvalidArgument
        As `find`; or if the device, which was asked for, does not carry out such a run.
    """
    found = find(device)
    if found.table is not None:
        refused = refusal(plan)
        if refused is not None and device != "auto":
            raise InvalidArgument("device", found.name, f"{plan.precision}: {refused}")
        if refused is not None:
            found = replace(PROCESSOR, instead=f"{plan.precision}: {refused}")
    if isinstance(plan, SwitchedPlan):
        return replace(plan, parts=tuple(replace(part, device=found) for part in plan.parts))
    return replace(plan, device=found)


def refusal(plan: Plan | SwitchedPlan) -> str | None:
    """Return what of a run no device carries out, as a sentence; None if it does."""
    if isinstance(plan, SwitchedPlan):
        return "a device keeps one format to the end of the run"
    arithmetic, record = plan.arithmetic, plan.record
    rules = (
        (plan.engine == "core", "the reference text runs on the processor"),
        (is_plain(plan.optimizer), "a device does gradient descent at a constant learning rate"),
        (_has_model(plan), "a device's two-layer network is collapsed, primal, without biases"),
        (record.adaptive is None, "a device measures the sharpness at a cadence known beforehand"),
        (not record.quantities, "a device does not record the quantities of Wang et al."),
        (arithmetic.uniform, "a device has one format for all stages"),
        (arithmetic.order in _ORDERS, f"a device sums in the orders {' and '.join(_ORDERS)}"),
        (_has_lanes(arithmetic.parameters),
         f"a device has float32, float64 and float64's members of at most {_MOST_BITS} bits"),
    )  # fmt: skip
    return next((sentence for kept, sentence in rules if not kept), None)


def _has_model(plan: Plan) -> bool:
    model = plan.model
    return not isinstance(model, TwoLayerLinear) or (
        model.contraction == "collapsed" and not model.bias and plan.spectral is None
    )


def _has_lanes(format_: Precision) -> bool:
    """Say whether lanes have a format's numbers."""
    if format_.pairs:
        return False
    if format_.bits <= _MOST_BITS and format_.within_float64:
        return True
    return format_ in (Precision.parse("float32"), Precision.parse("float64"))
