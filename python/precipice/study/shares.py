"""Shares of members with a property, and how much so many members can say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_NORMAL_975 = 1.959963984540054  # the 0.975 quantile of the standard normal distribution


@dataclass(frozen=True)
class Share:
    """So many of so many, with Wilson's interval of confidence 0.95 (Wilson 1927).

    Attributes
    ----------
    count, of : int
        `of` is at least 1.
    """

    count: int
    of: int

    @property
    def value(self) -> float:
        """The count over the whole."""
        return self.count / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """The probabilities p with |count/of - p| at most z √(p (1 - p) / of), z = 1.96."""
        z2 = _NORMAL_975**2
        middle = (self.count + z2 / 2) / (self.of + z2)
        spread = math.sqrt(self.count * (self.of - self.count) / self.of + z2 / 4)
        half = _NORMAL_975 * spread / (self.of + z2)
        # At the ends the interval reaches 0 or 1 exactly, but for rounding.
        low = 0.0 if self.count == 0 else middle - half
        high = 1.0 if self.count == self.of else middle + half
        return low, high

    def to_dict(self) -> dict[str, Any]:
        """Return count, share and interval as JSON-able data."""
        low, high = self.interval
        return {"count": self.count, "of": self.of, "share": self.value, "low": low, "high": high}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count}/{self.of} {self.value:.2f} [{low:.2f}, {high:.2f}]"
