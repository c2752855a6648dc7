"""Data sets with exact entries, and the ways to get one."""

from precipice.problems.cifar10 import cifar10
from precipice.problems.files import from_arrays, load
from precipice.problems.gaussian import gaussian
from precipice.problems.naming import by_name
from precipice.problems.problem import Presets, Problem
from precipice.problems.synthetic import fig6, opposing_signals

__all__ = [
    "Presets",
    "Problem",
    "by_name",
    "cifar10",
    "fig6",
    "from_arrays",
    "gaussian",
    "load",
    "opposing_signals",
]
