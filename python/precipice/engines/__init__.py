"""What carries a plan out: the compiled core, or the readable gmpy2 text."""

from __future__ import annotations

from precipice.engines.engine import Engine
from precipice.plan import Plan

__all__ = ["Engine", "engine_for"]


def engine_for(plan: Plan) -> Engine:
    """Return the engine that the plan names, ready to run."""
    if plan.engine == "reference":
        from precipice.engines.reference import ReferenceEngine

        return ReferenceEngine(plan)
    from precipice.engines.core import CoreEngine

    return CoreEngine(plan)
