"""What is trained: descriptions of models, without any arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from precipice.arithmetic import Arithmetic
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.losses import Loss
from precipice.rounding import Rounder

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
    first_layer: ClassVar[str] = "u"  # the parameter that meets the data
    bias: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", whole_number(self.depth, "depth", 2, DEEPEST))

    def shapes(self, features: int) -> dict[str, tuple[int, ...]]:
        """Return each parameter's shape for d = `features`: u is (d,), v is (D - 1,)."""
        return {"u": (features,), "v": (self.depth - 1,)}

    def fan_in(self, features: int) -> dict[str, int]:
        """Return how many numbers each parameter's layer takes in."""
        return {"u": features, "v": 1}

    def operations(self, samples: int, features: int, entries: int) -> int:
        """Return the rounded operations of a step, products and sums of a pair counted as one.

        X (`samples`, `features`) has so many `entries`: their product, or r if it is diagonal.
        """
        return 2 * entries + 4 * features + 8 * samples + self.depth**2

    def parameter_count(self, features: int) -> int:
        """Return how many numbers are trained."""
        return features + self.depth - 1

    def describe(self) -> dict[str, Any]:
        """Return the model as JSON-able data; `from_description` reads it back."""
        return {"name": self.name, "depth": self.depth}

    def __str__(self) -> str:
        return f"{self.name} D = {self.depth}"

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


SCALES = ("1/sqrt(m)", "none")
CONTRACTIONS = ("collapsed", "layerwise")


@dataclass(frozen=True)
class TwoLayerLinear:
    """The two-layer linear network f(x) = c aᵀ W x, or c aᵀ (W x + b₁) + b₂ with biases.

    Wang et al. 2022, appendix C.1; with biases and c = 1 PyTorch's pair of ``nn.Linear``.

    Parameters
    ----------
    width : int
        m, the number of hidden neurons; the model has m d + m parameters, with biases m + 1 more.
    scale : str
        ``"1/sqrt(m)"``: c = 1/√m; ``"none"``: c = 1, two plain linear layers.
    contraction : str
        In which order the products are taken, and so where they are rounded: ``"collapsed"``
        multiplies aᵀ W first (3 m d + 2 N d multiply-adds a step), ``"layerwise"`` goes through
        the hidden layer as a framework does (2 m d N).
    bias : bool
        Whether there are biases, b₁ (m,) of the hidden layer and b₂ (1,) of the output, named
        ``b1`` and ``b2``.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.
    """

    width: int
    scale: str = "1/sqrt(m)"
    contraction: str = "collapsed"
    bias: bool = False
    name: ClassVar[str] = "two-layer"
    first_layer: ClassVar[str] = "W"

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", whole_number(self.width, "width", 1))
        for argument, allowed in (("scale", SCALES), ("contraction", CONTRACTIONS)):
            if getattr(self, argument) not in allowed:
                rule = f"must be {' or '.join(allowed)}"
                raise InvalidArgument(argument, getattr(self, argument), rule)
        if not isinstance(self.bias, bool):
            raise InvalidArgument("bias", self.bias, "must be True or False")

    def shapes(self, features: int) -> dict[str, tuple[int, ...]]:
        """Return each parameter's shape for d = `features`.

        W is (m, d) and a is (m,); with biases b1 is (m,) and b2 is (1,).
        """
        biases = {"b1": (self.width,), "b2": (1,)} if self.bias else {}
        return {"W": (self.width, features), "a": (self.width,), **biases}

    def fan_in(self, features: int) -> dict[str, int]:
        """Return how many numbers each parameter's layer takes in."""
        return {"W": features, "a": self.width, "b1": features, "b2": self.width}

    def factors(self, arithmetic: Arithmetic, loss: Loss, samples: int) -> tuple[Any, Any, Any]:
        """Return c, κ and κ_L as the written order has them, each operation to nearest.

        c = 1 ⊘ RN(√m), or 1, of the stage forward; and of the stage gradient κ_L = 1 ⊘ N for
        half_mean, 2 ⊘ N for mean, 1 for half_sum and 2 for sum, and κ = κ_L ⊗ c.
        """
        forward, gradient = (
            Rounder(replace(precision, name="", rounding="rn"))
            for precision in (arithmetic.forward, arithmetic.gradient)
        )
        c = forward.nearest(1)
        if self.scale != "none":
            c = forward.divide(c, forward.sqrt(forward.nearest(self.width)))
        kappa_L = gradient.nearest(loss.numerator)
        if loss.averaged:
            kappa_L = gradient.divide(kappa_L, gradient.nearest(samples))
        return c, gradient.multiply(kappa_L, c), kappa_L

    def operations(self, samples: int, features: int, entries: int) -> int:
        """Return the rounded operations of a step, as `Minimalist.operations` does."""
        weights = self.width * features
        if self.contraction == "collapsed":
            return 6 * weights + 2 * entries
        return 3 * weights + 2 * self.width * entries

    def parameter_count(self, features: int) -> int:
        """Return how many numbers are trained."""
        return self.width * (features + 1) + (self.width + 1 if self.bias else 0)

    def describe(self) -> dict[str, Any]:
        """Return the model as JSON-able data; `from_description` reads it back."""
        return {
            "name": self.name,
            "width": self.width,
            "scale": self.scale,
            "contraction": self.contraction,
            "bias": self.bias,
        }

    def __str__(self) -> str:
        biases = ", biases" if self.bias else ""
        return f"{self.name} m = {self.width}, {self.contraction}{biases}"

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> TwoLayerLinear:
        """Return the model that `describe` described.

        Raises
        ------
        InvalidArgument
            If the description is of another model.
        """
        if description.get("name") != cls.name or "width" not in description:
            raise InvalidArgument(
                "model", dict(description), f'must have name "{cls.name}" and a width'
            )
        return cls(**{key: value for key, value in description.items() if key != "name"})


Model = Minimalist | TwoLayerLinear
