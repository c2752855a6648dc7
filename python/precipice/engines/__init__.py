"""What carries a plan out: the compiled core, or the readable gmpy2 text."""

from __future__ import annotations

from typing import Any

from precipice.engines.engine import Engine, Part
from precipice.plan import Plan
from precipice.switched_plan import SwitchedPlan

__all__ = ["Engine", "engine_for"]


def engine_for(plan: Plan | SwitchedPlan) -> Engine:
    """Return the engine that the plan names, ready to run."""
    if isinstance(plan, SwitchedPlan):
        from precipice.engines.switching import SwitchingEngine

        return SwitchingEngine(plan)
    engine: Engine = engine_for_part(plan)
    return engine


def engine_for_part(plan: Plan, part: Part | None = None) -> Any:
    """Return the engine of a plan in one format, which may be a part of a run."""
    if plan.engine == "reference":
        from precipice.engines.reference import ReferenceEngine

        return ReferenceEngine(plan, part)
    from precipice.engines.core import CoreEngine

    return CoreEngine(plan, part)
