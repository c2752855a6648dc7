"""What figures look like: ink, resolution, a quiet frame, and one scale of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Colour = tuple[float, float, float, float]

DPI = 160
INK = "#333333"
# plasma's yellow end would be too light on white, and its first steps are told apart more easily
# than viridis' or cividis'.
_SEQUENCE, _LIGHTEST = "plasma", 0.83
# Below 1 spreads the dark end, where plasma's hue changes slowly.
_SPREAD = 0.75


def sequence(count: int) -> list[Colour]:
    """Return so many colours from dark to light, for what has an order."""
    from matplotlib import colormaps

    positions = _LIGHTEST * np.linspace(0.0, 1.0, max(2, count)) ** _SPREAD
    return [colormaps[_SEQUENCE](float(position)) for position in positions[:count]]


def plain(axes: Axes) -> None:
    """Give a panel its quiet frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9, colors=INK)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
