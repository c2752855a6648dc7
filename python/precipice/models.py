"""What is trained: descriptions of models, without any arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from precipice.errors import InvalidArgument
from precipice.exact import whole_number

DEEPEST = 1000
"""The most layers: the curvature of D - 1 scalar layers takes O(D³) operations."""


@dataclass(frozen=True)
class Minimalist:
    """The minimalist model f(x) = (x·u) v_1 … v_{D-1} (Yoo et al. 2025, eq. 1).

    Parameters
    ----------
    depth : int
        D, the number of layers, from 2 to 1000; the model has d + D - 1 parameters.

    Raises
    ------
    InvalidArgument
        If `depth` is not an integer of at least 2.
    """

    depth: int = 2
    name: ClassVar[str] = "minimalist"

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", whole_number(self.depth, "depth", 2, DEEPEST))

    def shapes(self, features: int) -> dict[str, tuple[int, ...]]:
        """Return each parameter's shape for d = `features`: u is (d,), v is (D - 1,)."""
        return {"u": (features,), "v": (self.depth - 1,)}

    def describe(self) -> dict[str, Any]:
        """Return the model as JSON-able data; `from_description` reads it back."""
        return {"name": self.name, "depth": self.depth}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Minimalist:
        """Return the model that `describe` described.

        Raises
        ------
        InvalidArgument
            If the description is of another model.
        """
        if description.get("name") != cls.name or "depth" not in description:
            raise InvalidArgument(
                "model", dict(description), f'must have name "{cls.name}" and a depth'
            )
        return cls(depth=description["depth"])
