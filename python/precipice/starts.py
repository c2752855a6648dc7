"""The rules that give a model its first parameters; `precipice.initialisers` makes them.

Every seeded draw comes from ``numpy.random.default_rng(seed)``, u first and then v_1 … v_{D-1};
W row by row, then a, then the biases b1 and b2 if there are any: those that are drawn leave W and a
what they are without.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.decomposition import decompose
from precipice.errors import InvalidArgument
from precipice.exact import exact, text
from precipice.exact_arrays import exact_array
from precipice.models import Minimalist, Model
from precipice.perturbation import perturbed
from precipice.precision import Precision
from precipice.problems.problem import Problem

Parameters = dict[str, npt.NDArray[Any]]


class Initialiser(ABC):
    """A rule that gives a model its first parameters."""

    @abstractmethod
    def draw(self, model: Model, problem: Problem) -> Parameters:
        """Return the first parameters by name, each float64 or an object array of exact numbers."""

    def begun(self, start: Parameters, format_: Precision) -> Parameters:
        """Return where a run begins whose parameters have a format.

        Parameters
        ----------
        start : dict of str to ndarray
            What `draw` returned, in the problem's format and coordinates.
        format_ : Precision
        """
        return start

    def seeded(self, seed: int) -> Initialiser:
        """Return the rule with another seed.

        Raises
        ------
        InvalidArgument
            If it draws nothing.
        """
        if "seed" not in self.__dataclass_fields__:  # type: ignore[attr-defined]
            raise InvalidArgument("seeds", seed, f"need a start that is drawn, which {self} is not")
        return replace(self, seed=seed)  # type: ignore[type-var]

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the rule as JSON-able data."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the rule as the command line writes it."""


@dataclass(frozen=True)
class Constant(Initialiser):
    """Every parameter the same."""

    c: Any

    def draw(self, model: Model, problem: Problem) -> Parameters:
        shapes = model.shapes(problem.features)
        entry = exact_array([self.c], "c")
        return {name: np.full(shape, entry[0], dtype=entry.dtype) for name, shape in shapes.items()}

    def describe(self) -> dict[str, Any]:
        return {"name": "constant", "c": str(self.c), "c_exact": text(exact(self.c))}

    def __str__(self) -> str:
        # A float's decimal print is another number; text written by the caller is its own.
        return f"constant:{self.c if isinstance(self.c, str) else text(exact(self.c))}"


@dataclass(frozen=True)
class PyTorch(Initialiser):
    """PyTorch's default."""

    seed: int

    def draw(self, model: Model, problem: Problem) -> Parameters:
        rng = np.random.default_rng(self.seed)
        fan_in = model.fan_in(problem.features)
        # Drawn from (-1, 1) and then divided: the last bits of the start decide later drops.
        return {
            name: rng.uniform(-1, 1, shape) / np.sqrt(fan_in[name])
            for name, shape in model.shapes(problem.features).items()
        }

    def describe(self) -> dict[str, Any]:
        return {"name": "pytorch", "seed": self.seed}

    def __str__(self) -> str:
        return "pytorch"


@dataclass(frozen=True)
class Normal(Initialiser):
    """Normal layers of two deviations."""

    alpha: float
    beta: float
    seed: int

    def draw(self, model: Model, problem: Problem) -> Parameters:
        rng = np.random.default_rng(self.seed)
        (first, second), biases = _layers(model, problem)
        return {
            first[0]: self.alpha * rng.standard_normal(first[1]),
            second[0]: self.beta * rng.standard_normal(second[1]),
            **biases,
        }

    def describe(self) -> dict[str, Any]:
        return {"name": "normal", "alpha": self.alpha, "beta": self.beta, "seed": self.seed}

    def __str__(self) -> str:
        return f"normal:{self.alpha},{self.beta}"


@dataclass(frozen=True)
class Balanced(Initialiser):
    """The same norm in both layers."""

    c: float
    seed: int

    def draw(self, model: Model, problem: Problem) -> Parameters:
        if not isinstance(model, Minimalist):
            raise InvalidArgument("init", str(self), "needs the minimalist model")
        rng = np.random.default_rng(self.seed)
        shapes = model.shapes(problem.features)
        to_float64 = Precision.parse("float64").round_array
        right = decompose(to_float64(problem.X), to_float64(problem.y)).right
        # A normal vector's projection has a uniform direction, whatever signs the SVD chose.
        projected = right @ (right.T @ rng.standard_normal(shapes["u"]))
        length = float(np.linalg.norm(projected))
        if length == 0:
            raise InvalidArgument("init", str(self), "needs an X that is not identically zero")
        return {"u": projected * (self.c / length), "v": np.full(shapes["v"], self.c)}

    def describe(self) -> dict[str, Any]:
        return {"name": "balanced", "c": self.c, "seed": self.seed}

    def __str__(self) -> str:
        return f"balanced:{self.c}"


@dataclass(frozen=True)
class Symmetric(Initialiser):
    """Pairs of neurons that cancel each other."""

    seed: int
    orthogonal: bool

    def draw(self, model: Model, problem: Problem) -> Parameters:
        if isinstance(model, Minimalist):
            raise InvalidArgument("init", str(self), "needs the two-layer model")
        half, d = model.width // 2, problem.features
        if model.width % 2:
            raise InvalidArgument("width", model.width, f"must be even for init {self}")
        if self.orthogonal and half < d:
            rule = f"must be at least {2 * d} = 2 d for init symmetric; else symmetric_gaussian"
            raise InvalidArgument("width", model.width, rule)
        rng = np.random.default_rng(self.seed)
        rows = rng.standard_normal((half, d)) / np.sqrt(d)
        if self.orthogonal:
            # The sum of w_q w_qᵀ over one half is (m / 2d) I: orthonormal columns, scaled.
            rows = np.linalg.qr(rows)[0] * np.sqrt(half / d)
        signs = rng.choice([-1.0, 1.0], half)
        _, biases = _layers(model, problem)
        return {"W": np.concatenate([rows, rows]), "a": np.concatenate([signs, -signs]), **biases}

    def describe(self) -> dict[str, Any]:
        return {"name": str(self), "seed": self.seed}

    def __str__(self) -> str:
        return "symmetric" if self.orthogonal else "symmetric_gaussian"


def _layers(model: Model, problem: Problem) -> tuple[list[tuple[str, tuple[int, ...]]], Parameters]:
    """Return the two layers' names and shapes, and zeros for the biases if there are any."""
    shapes = list(model.shapes(problem.features).items())
    return shapes[:2], {name: np.zeros(shape) for name, shape in shapes[2:]}


@dataclass(frozen=True, eq=False)
class Explicit(Initialiser):
    """Given numbers."""

    values: Parameters

    def draw(self, model: Model, problem: Problem) -> Parameters:
        shapes = model.shapes(problem.features)
        if set(self.values) != set(shapes):
            rule = f"must name exactly the model's parameters: {', '.join(shapes)}"
            raise InvalidArgument("init", ", ".join(map(str, self.values)) or "nothing", rule)
        return {
            name: exact_array(self.values[name], f'init["{name}"]', shape).copy()
            for name, shape in shapes.items()
        }

    def describe(self) -> dict[str, Any]:
        texts = {name: [text(x) for x in array.flat] for name, array in self.values.items()}
        return {"name": "explicit", "values": texts}

    def __str__(self) -> str:
        return "explicit"


@dataclass(frozen=True)
class Perturbed(Initialiser):
    """Another rule's start, moved in its last bits; see `perturbed`."""

    start: Initialiser
    number: int
    seed: int
    bits: int | None = None

    def draw(self, model: Model, problem: Problem) -> Parameters:
        return self.start.draw(model, problem)

    def begun(self, start: Parameters, format_: Precision) -> Parameters:
        begun = self.start.begun(start, format_)
        return perturbed(begun, format_, self.number, self.seed, self.bits)

    def seeded(self, seed: int) -> Initialiser:
        return replace(self, start=self.start.seeded(seed))

    def describe(self) -> dict[str, Any]:
        return {
            "name": str(self),
            "start": self.start.describe(),
            "number": self.number,
            "perturbation_seed": self.seed,
            "perturbation_bits": self.bits,
        }

    def __str__(self) -> str:
        return f"{self.start}, perturbed"
