"""precipice: gradient descent at any floating-point precision.

How does floating-point precision change a training run? The names below are imported on first
use, so that ``import precipice`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Adaptive": "precipice.record",
    "Arithmetic": "precipice.arithmetic",
    "Comparison": "precipice.study.comparison",
    "Ensemble": "precipice.study.ensemble_results",
    "Sweep": "precipice.study.sweep",
    "GD": "precipice.optimizers",
    "GradientFlow": "precipice.optimizers",
    "HeavyBall": "precipice.optimizers",
    "InvalidArgument": "precipice.errors",
    "Minimalist": "precipice.models",
    "MixedPrecision": "precipice.mixed",
    "Nesterov": "precipice.optimizers",
    "Optimizer": "precipice.optimizers",
    "Outcome": "precipice.results",
    "Precision": "precipice.precision",
    "Problem": "precipice.problems",
    "Record": "precipice.record",
    "Run": "precipice.results",
    "SGD": "precipice.optimizers",
    "Series": "precipice.results",
    "TwoLayerLinear": "precipice.models",
    "compare": "precipice.study.comparison",
    "ensemble": "precipice.study.ensemble",
    "sweep": "precipice.study.sweep",
    "load": "precipice.study.storage",
    "measure_sharpness": "precipice.surface",
    "eigenpairs": "precipice.spectrum",
    "simulate": "precipice.simulation",
    "switch": "precipice.switching",
}
_MODULES = {
    "analysis": "precipice.analysis",
    "init": "precipice.initialisers",
    "lr": "precipice.schedules",
    "problems": "precipice.problems",
    "theory": "precipice.theory",
}

if TYPE_CHECKING:
    from precipice import analysis as analysis
    from precipice import initialisers as init
    from precipice import problems as problems
    from precipice import schedules as lr
    from precipice import theory as theory
    from precipice.arithmetic import Arithmetic
    from precipice.errors import InvalidArgument
    from precipice.mixed import MixedPrecision
    from precipice.models import Minimalist, TwoLayerLinear
    from precipice.optimizers import GD, SGD, GradientFlow, HeavyBall, Nesterov, Optimizer
    from precipice.precision import Precision
    from precipice.problems import Problem
    from precipice.record import Adaptive, Record
    from precipice.results import Outcome, Run, Series
    from precipice.simulation import simulate
    from precipice.spectrum import eigenpairs
    from precipice.study.comparison import Comparison, compare
    from precipice.study.ensemble import ensemble
    from precipice.study.ensemble_results import Ensemble
    from precipice.study.storage import load
    from precipice.study.sweep import Sweep, sweep
    from precipice.surface import measure_sharpness
    from precipice.switching import switch

__all__ = [
    "GD",
    "SGD",
    "Adaptive",
    "Arithmetic",
    "Comparison",
    "Ensemble",
    "GradientFlow",
    "HeavyBall",
    "InvalidArgument",
    "Minimalist",
    "MixedPrecision",
    "Nesterov",
    "Optimizer",
    "Outcome",
    "Precision",
    "Problem",
    "Record",
    "Run",
    "Series",
    "Sweep",
    "TwoLayerLinear",
    "analysis",
    "compare",
    "eigenpairs",
    "ensemble",
    "init",
    "load",
    "lr",
    "measure_sharpness",
    "problems",
    "simulate",
    "sweep",
    "switch",
    "theory",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(_MODULES[name])
    else:
        raise AttributeError(f"module 'precipice' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
