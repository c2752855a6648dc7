"""An optimiser as the compiled core wants it."""

from __future__ import annotations

from precipice import _core
from precipice.exact import text
from precipice.optimizers import SGD, GradientFlow, HeavyBall, Nesterov, Optimizer
from precipice.plan import Plan
from precipice.stepping import RoundedSchedule


def optimizer_spec(plan: Plan) -> _core.OptimizerSpec:
    """Return the plan's optimiser, its numbers in the problem's format."""
    step_sizes = plan.step_sizes
    if isinstance(plan.optimizer, GradientFlow):
        return _core.OptimizerSpec(
            rule="runge_kutta",
            momentum="0",
            first_step=[0],
            lr=["1" if step_sizes is None else text(step_sizes.lr[0])],
            flow=_core.FlowSpec(
                step="" if step_sizes is None else text(step_sizes.lr[0]),
                factor=plan.optimizer.factor,
                every=plan.optimizer.every,
                guard=plan.optimizer.guard,
            ),
        )
    assert step_sizes is not None
    return _core.OptimizerSpec(
        rule=_rule(plan.optimizer),
        momentum="0" if plan.momentum is None else text(plan.momentum),
        first_step=list(step_sizes.first_step),
        lr=[text(lr) for lr in step_sizes.lr],
        event=_event(step_sizes),
        batch=_batch(plan.optimizer),
    )


def _rule(optimizer: Optimizer) -> str:
    if isinstance(optimizer, SGD):
        if optimizer.exact_momentum() is None:
            return "gradient_descent"
        return "nesterov" if optimizer.nesterov else "heavy_ball"
    if isinstance(optimizer, HeavyBall):
        return "heavy_ball"
    return "nesterov" if isinstance(optimizer, Nesterov) else "gradient_descent"


def _event(step_sizes: RoundedSchedule) -> _core.EventSpec | None:
    event = step_sizes.event
    if event is None:
        return None
    return _core.EventSpec(
        series=event.series, above=event.above, bound=event.bound, lr=text(event.lr)
    )


def _batch(optimizer: Optimizer) -> _core.BatchSpec | None:
    if not isinstance(optimizer, SGD):
        return None
    return _core.BatchSpec(
        size=optimizer.batch_size,
        reshuffle=optimizer.sampling == "reshuffle",
        seed=optimizer.seed,
    )


def batch_sizes(plan: Plan) -> list[int]:
    """Return the sizes of mini-batches: the usual one, and that of an epoch's last."""
    if not isinstance(plan.optimizer, SGD):
        return []
    size = plan.optimizer.batch_size
    return [size, plan.problem.samples % size or size]
