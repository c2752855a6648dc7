"""How parameters are updated: descriptions of optimisers, without any arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from precipice.errors import InvalidArgument
from precipice.exact import Exact, exact, text


@dataclass(frozen=True)
class GD:
    """Full-batch gradient descent, θ ← θ - η ∇L(θ).

    Parameters
    ----------
    lr : str, int, float, Fraction, Decimal, gmpy2 or mpmath number
        The learning rate η > 0, kept as given. A string is exact: ``"2/50"`` is the fraction,
        while ``2/50`` is the float64 nearest to it.

    Raises
    ------
    InvalidArgument
        If `lr` is not a positive finite number.
    """

    lr: Any
    name: ClassVar[str] = "gd"

    def __post_init__(self) -> None:
        if not self.exact_lr() > 0:
            raise InvalidArgument("lr", self.lr, "must be positive")

    def exact_lr(self) -> Exact:
        """Return the learning rate as an exact number."""
        return exact(self.lr, "lr")

    def describe(self) -> dict[str, Any]:
        """Return the optimiser as JSON-able data: lr as written, and its exact text."""
        return {"name": self.name, "lr": str(self.lr), "lr_exact": text(self.exact_lr())}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> GD:
        """Return the optimiser that `describe` described, with the same exact learning rate.

        Raises
        ------
        InvalidArgument
            If the description is of another optimiser.
        """
        if description.get("name") != cls.name or "lr_exact" not in description:
            raise InvalidArgument(
                "optimizer", dict(description), f'must have name "{cls.name}" and lr_exact'
            )
        written, exactly = description.get("lr"), description["lr_exact"]
        # A float prints as a decimal it is not equal to: then only the exact text will do.
        if isinstance(written, str) and text(exact(written, "lr")) == exactly:
            return cls(lr=written)
        return cls(lr=exactly)
