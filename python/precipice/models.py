"""What is trained: descriptions of models, without any arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gmpy2

from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.losses import Loss
from precipice.precision import Precision

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

    def fan_in(self, features: int) -> dict[str, int]:
        """Return how many numbers each parameter's layer takes in."""
        return {"u": features, "v": 1}

    def operations(self, samples: int, features: int) -> int:
        """Return the rounded operations of a step, products and sums of a pair counted as one."""
        return 2 * samples * features + 4 * features + 8 * samples + self.depth**2

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
    """The two-layer linear network f(x) = c aᵀ W x (Wang et al. 2022, appendix C.1).

    Parameters
    ----------
    width : int
        m, the number of hidden neurons; the model has m d + m parameters.
    scale : str
        ``"1/sqrt(m)"``: c = 1/√m; ``"none"``: c = 1, two plain linear layers.
    contraction : str
        In which order the products are taken, and so where they are rounded: ``"collapsed"``
        multiplies aᵀ W first (3 m d + 2 N d multiply-adds a step), ``"layerwise"`` goes through
        the hidden layer as a framework does (2 m d N).

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.
    """

    width: int
    scale: str = "1/sqrt(m)"
    contraction: str = "collapsed"
    name: ClassVar[str] = "two-layer"

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", whole_number(self.width, "width", 1))
        for argument, allowed in (("scale", SCALES), ("contraction", CONTRACTIONS)):
            if getattr(self, argument) not in allowed:
                rule = f"must be {' or '.join(allowed)}"
                raise InvalidArgument(argument, getattr(self, argument), rule)

    def shapes(self, features: int) -> dict[str, tuple[int, ...]]:
        """Return each parameter's shape for d = `features`: W is (m, d), a is (m,)."""
        return {"W": (self.width, features), "a": (self.width,)}

    def fan_in(self, features: int) -> dict[str, int]:
        """Return how many numbers each parameter's layer takes in."""
        return {"W": features, "a": self.width}

    def factors(self, precision: Precision, loss: Loss, samples: int) -> tuple[Any, Any]:
        """Return c and κ as the written order has them, members of the working format.

        c = 1 ⊘ RN(√m), or 1; κ = (1 ⊘ N) ⊗ c for half_mean, (2 ⊘ N) ⊗ c for mean, c for half_sum
        and 2 ⊗ c for sum.
        """
        with precision.context():
            one, two, n = gmpy2.mpfr(1), gmpy2.mpfr(2), gmpy2.mpfr(samples)
            c = one if self.scale == "none" else one / gmpy2.sqrt(gmpy2.mpfr(self.width))
            kappa = {"half_mean": one / n, "mean": two / n, "half_sum": one, "sum": two}[loss.name]
            return c, kappa * c

    def operations(self, samples: int, features: int) -> int:
        """Return the rounded operations of a step, products and sums of a pair counted as one."""
        weights, data = self.width * features, samples * features
        if self.contraction == "collapsed":
            return 6 * weights + 2 * data
        return 3 * weights + 2 * self.width * data

    def parameter_count(self, features: int) -> int:
        """Return how many numbers are trained."""
        return self.width * (features + 1)

    def describe(self) -> dict[str, Any]:
        """Return the model as JSON-able data; `from_description` reads it back."""
        return {
            "name": self.name,
            "width": self.width,
            "scale": self.scale,
            "contraction": self.contraction,
        }

    def __str__(self) -> str:
        return f"{self.name} m = {self.width}, {self.contraction}"

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
