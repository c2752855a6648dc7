"""Where a run starts. Users know this module as ``precipice.init``.

Every seeded draw comes from ``numpy.random.default_rng(seed)``, u first and then v_1 … v_{D-1};
W row by row, then a, then the biases b1 and b2 if there are any: those that are drawn leave W and a
what they are without.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.decomposition import decompose
from precipice.errors import InvalidArgument
from precipice.exact import exact, text, whole_number
from precipice.exact_arrays import exact_array
from precipice.models import Minimalist, Model
from precipice.precision import Precision, nearest_float64
from precipice.problems.problem import Problem

Parameters = dict[str, npt.NDArray[Any]]
_FORMS = "constant:C, pytorch, normal:ALPHA,BETA, balanced:C, symmetric or symmetric_gaussian"


class Initialiser(ABC):
    """A rule that gives a model its first parameters."""

    @abstractmethod
    def draw(self, model: Model, problem: Problem) -> Parameters:
        """Return the first parameters by name, each float64 or an object array of exact numbers."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the rule as JSON-able data."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the rule as the command line writes it."""


@dataclass(frozen=True)
class _Constant(Initialiser):
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
class _PyTorch(Initialiser):
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
class _Normal(Initialiser):
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
class _Balanced(Initialiser):
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
class _Symmetric(Initialiser):
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
class _Explicit(Initialiser):
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


def constant(c: Any) -> Initialiser:
    """Return the start at which every parameter is `c` (Yoo et al. 2025, appendix C.3: 0.01).

    Parameters
    ----------
    c : number
        Kept exactly: ``"0.01"`` is the decimal, ``0.01`` the float64 nearest to it.

    Raises
    ------
    InvalidArgument
        If `c` is not a finite number.
    """
    exact(c, "c")
    return _Constant(c)


def pytorch(seed: int = 0) -> Initialiser:
    """Return PyTorch's default start: U(-1/√fan_in, 1/√fan_in) for each layer.

    u ~ U(-1/√d, 1/√d), v_j ~ U(-1, 1); W, b1 ~ U(-1/√d, 1/√d), a, b2 ~ U(-1/√m, 1/√m); in float64.

    Raises
    ------
    InvalidArgument
        If `seed` is not an integer of at least 0.
    """
    return _PyTorch(whole_number(seed, "seed", 0))


def normal(alpha: Any, beta: Any, seed: int = 0) -> Initialiser:
    """Return a normal start: u ~ N(0, alpha² I), v_j ~ N(0, beta²) (Yoo et al. 2025, section 5.1).

    Likewise W and a of the two-layer network; its biases are zero.

    Parameters
    ----------
    alpha, beta : number
        Standard deviations, at least 0, rounded to float64.
    seed : int

    Raises
    ------
    InvalidArgument
        If a standard deviation is negative or not finite, or `seed` is negative.
    """
    deviations = nearest_float64(alpha, "alpha"), nearest_float64(beta, "beta")
    for name, deviation in zip(("alpha", "beta"), deviations, strict=True):
        if deviation < 0:
            raise InvalidArgument(name, deviation, "must be at least 0")
    return _Normal(*deviations, seed=whole_number(seed, "seed", 0))


def balanced(c: Any, seed: int = 0) -> Initialiser:
    """Return a balanced start: ‖Π_W u‖ = v_j = c (Yoo et al. 2025, Assumption 4.5).

    u has a uniformly random direction in the row space of X, and nothing outside it.

    Parameters
    ----------
    c : number
        Positive, rounded to float64.
    seed : int

    Raises
    ------
    InvalidArgument
        If `c` is not positive, or `seed` is negative.

    Notes
    -----
    The row space comes from a float64 SVD: the last bits of u depend on the BLAS in use.
    """
    size = nearest_float64(c, "c")
    if not size > 0:
        raise InvalidArgument("c", c, "must be positive")
    return _Balanced(size, whole_number(seed, "seed", 0))


def symmetric(seed: int = 0) -> Initialiser:
    """Return the symmetric start of the two-layer network (Wang et al. 2022, appendix C.1).

    a_q = ±1 in pairs of opposite sign, their rows of W equal, and Σ w_q w_qᵀ = (m / 2d) I over one
    of each pair: the network is zero at the start. Biases are zero. It needs an even m with m/2 at
    least d.

    Raises
    ------
    InvalidArgument
        If `seed` is negative; when a run begins, if m does not fit.

    Notes
    -----
    The orthonormal columns come from a float64 QR decomposition: their last bits depend on the
    LAPACK in use.
    """
    return _Symmetric(whole_number(seed, "seed", 0), orthogonal=True)


def symmetric_gaussian(seed: int = 0) -> Initialiser:
    """Return the symmetric start with rows w_q ~ N(0, I/d): its condition holds in expectation.

    As `symmetric`, for any even m.

    Raises
    ------
    InvalidArgument
        If `seed` is negative; when a run begins, if m is odd.
    """
    return _Symmetric(whole_number(seed, "seed", 0), orthogonal=False)


def explicit(values: Mapping[str, Any]) -> Initialiser:
    """Return the start given by arrays, under the model's parameter names.

    Parameters
    ----------
    values : mapping
        ``{"u": …, "v": …}`` with entries that `precipice.exact.exact` reads: floats, decimal
        strings, fractions, gmpy2 or mpmath numbers. They are kept exactly.

    Raises
    ------
    InvalidArgument
        If an entry is no finite number; when a run begins, if a name or a shape is wrong.
    """
    if not isinstance(values, Mapping):
        raise InvalidArgument("init", values, "must map parameter names to arrays")
    return _Explicit(
        {name: exact_array(array, f'init["{name}"]').copy() for name, array in values.items()}
    )


def parse(form: str, seed: int = 0) -> Initialiser:
    """Return the initialiser that command-line text names.

    Parameters
    ----------
    form : str
        ``"constant:0.01"``, ``"pytorch"``, ``"normal:0.1,0.2"`` or ``"balanced:0.5"``.
    seed : int
        For those that draw; checked for all.

    Raises
    ------
    InvalidArgument
        If the text is of no such form, its numbers break the initialiser's rule, or `seed` is
        not an integer of at least 0.
    """
    seed = whole_number(seed, "seed", 0)
    name, _, rest = form.partition(":")
    arguments = rest.split(",") if rest else []
    builders: dict[str, tuple[int, Callable[..., Initialiser]]] = {
        "constant": (1, lambda c: constant(c)),
        "pytorch": (0, lambda: pytorch(seed)),
        "normal": (2, lambda alpha, beta: normal(alpha, beta, seed)),
        "balanced": (1, lambda c: balanced(c, seed)),
        "symmetric": (0, lambda: symmetric(seed)),
        "symmetric_gaussian": (0, lambda: symmetric_gaussian(seed)),
    }
    if name not in builders or builders[name][0] != len(arguments):
        raise InvalidArgument("init", form, f"must be {_FORMS}")
    try:
        return builders[name][1](*arguments)
    except InvalidArgument as error:
        raise InvalidArgument("init", form, f"{error.argument} {error.rule}") from None
