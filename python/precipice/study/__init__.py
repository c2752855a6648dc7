"""Comparisons of one training run at many precisions: carried out, saved, loaded."""

from precipice.study.comparison import Comparison, ComparisonInterrupted, compare
from precipice.study.storage import load

__all__ = ["Comparison", "ComparisonInterrupted", "compare", "load"]
