"""Figures of Wang, Li and Li 2022 in the small, on the first images of two CIFAR-10 classes."""

from __future__ import annotations

from precipice.reproduce.figures import FigureBuilder
from precipice.reproduce.wang2022_gamma import gamma_constants
from precipice.reproduce.wang2022_labels import label_directions
from precipice.reproduce.wang2022_phases import four_phases

FIGURES: dict[str, FigureBuilder] = {
    "1-3": four_phases,
    "12": label_directions,
    "20": gamma_constants,
}
"""What computes each figure, by the paper's number."""
