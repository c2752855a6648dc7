"""How parameters are updated: descriptions of optimisers, without any arithmetic.

With g the gradient that the model's program gives, and ⊗ ⊕ ⊖ rounded operations:

    gradient descent    θ ← θ ⊖ (η_t ⊗ g)
    heavy ball          v ← (β ⊗ v) ⊕ g      θ ← θ ⊖ (η_t ⊗ v)
    Nesterov            v ← (β ⊗ v) ⊕ g      θ ← θ ⊖ (η_t ⊗ (g ⊕ (β ⊗ v)))

v starts at +0. The learning rate η is an exact number or a schedule (`precipice.schedules`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from precipice.batches import SAMPLINGS
from precipice.errors import InvalidArgument
from precipice.exact import Exact, exact, whole_number
from precipice.schedules import Schedule, read_back, written
from precipice.schedules import from_description as schedule_from

_LARGEST_SEED = 2**64 - 1

_Momentum = TypeVar("_Momentum", bound="_WithMomentum")


@dataclass(frozen=True)
class _Stepped:
    """What takes a learning rate η."""

    lr: Any
    name: ClassVar[str]
    threshold_formula: ClassVar[str] = "2/η"

    def __post_init__(self) -> None:
        if not isinstance(self.lr, Schedule) and not self.exact_lr() > 0:
            raise InvalidArgument("lr", self.lr, "must be positive")

    def exact_lr(self) -> Exact:
        """Return the learning rate (a schedule's first) as an exact number."""
        if isinstance(self.lr, Schedule):
            return self.lr.pieces(0)[0][1]
        return exact(self.lr, "lr")

    def exact_momentum(self) -> Exact | None:
        """Return β as an exact number, None where the update has no velocity."""
        return None

    def stability_threshold(self, lr: float) -> float:
        """Return the curvature above which the update diverges on a quadratic function."""
        return 2 / lr

    def describe(self) -> dict[str, Any]:
        """Return the optimiser as JSON-able data; `from_description` reads it back."""
        if isinstance(self.lr, Schedule):
            return {"name": self.name, "lr": str(self.lr), "schedule": self.lr.describe()}
        return {"name": self.name, **written("lr", self.lr)}


@dataclass(frozen=True)
class GD(_Stepped):
    """Full-batch gradient descent, θ ← θ - η ∇L(θ).

    Parameters
    ----------
    lr : str, int, float, Fraction, Decimal, gmpy2 or mpmath number, or a schedule
        The learning rate η > 0, kept as given. A string is exact: ``"2/50"`` is the fraction,
        while ``2/50`` is the float64 nearest to it. Schedules are made by `precipice.lr`.

    Raises
    ------
    InvalidArgument
        If `lr` is not a positive finite number or a schedule.
    """

    name: ClassVar[str] = "gd"

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> GD:
        """Return the optimiser that `describe` described, with the same exact learning rate.

        Raises
        ------
        InvalidArgument
            If the description is of another optimiser.
        """
        return cls(lr=_described_lr(cls.name, description))


@dataclass(frozen=True)
class _WithMomentum(_Stepped):
    """What has a velocity v."""

    momentum: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_momentum(self.momentum)

    def exact_momentum(self) -> Exact | None:
        """Return β as an exact number."""
        return exact(self.momentum, "momentum")

    def describe(self) -> dict[str, Any]:
        """Return the optimiser as JSON-able data; `from_description` reads it back."""
        return {**super().describe(), **written("momentum", self.momentum)}

    @classmethod
    def from_description(cls: type[_Momentum], description: Mapping[str, Any]) -> _Momentum:
        """Return the optimiser that `describe` described; errors as `GD.from_description`."""
        lr = _described_lr(cls.name, description, "momentum_exact")
        return cls(lr=lr, momentum=read_back("momentum", description))


@dataclass(frozen=True)
class HeavyBall(_WithMomentum):
    """Gradient descent with Polyak's momentum, v ← β v + g, θ ← θ - η v (PyTorch's momentum).

    Parameters
    ----------
    lr : exact number or schedule
        As for `GD`.
    momentum : exact number
        β, at least 0 and below 1.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.
    """

    name: ClassVar[str] = "heavy-ball"
    threshold_formula: ClassVar[str] = "(2+2β)/η"

    def stability_threshold(self, lr: float) -> float:
        """Return (2 + 2β)/η (Cohen et al. 2021, appendix B)."""
        return (2 + 2 * float(exact(self.momentum))) / lr


@dataclass(frozen=True)
class Nesterov(_WithMomentum):
    """Gradient descent with Nesterov's momentum, v ← β v + g, θ ← θ - η (g + β v).

    Parameters
    ----------
    lr : exact number or schedule
        As for `GD`.
    momentum : exact number
        β, at least 0 and below 1.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.
    """

    name: ClassVar[str] = "nesterov"
    threshold_formula: ClassVar[str] = "(2+2β)/((1+2β)η)"

    def stability_threshold(self, lr: float) -> float:
        """Return (2 + 2β)/(η (1 + 2β)) (Cohen et al. 2021, appendix B)."""
        return _nesterov_threshold(lr, float(exact(self.momentum)))


@dataclass(frozen=True)
class SGD(_Stepped):
    """Stochastic gradient descent: each update sees the gradient of a mini-batch.

    ``half_mean`` and ``mean`` divide by the batch's own size. The recorded loss and sharpness are
    the full batch's.

    Parameters
    ----------
    lr : exact number or schedule
        As for `GD`.
    batch_size : int
        B, at most the number of samples.
    sampling : {"reshuffle", "iid"}
        A random permutation of the samples an epoch, cut into batches (the last may be smaller);
        or B distinct samples drawn afresh each step.
    seed : int
        Of the batches, which are the same at every precision; 0 to 2^64 - 1.
    momentum : exact number
        β, at least 0 and below 1. With 0 there is no velocity.
    nesterov : bool
        Whether the momentum is Nesterov's.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.
    """

    batch_size: int
    sampling: str = "reshuffle"
    seed: int = 0
    momentum: Any = "0"
    nesterov: bool = False
    name: ClassVar[str] = "sgd"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "batch_size", whole_number(self.batch_size, "batch_size", 1))
        object.__setattr__(self, "seed", whole_number(self.seed, "seed", 0, _LARGEST_SEED))
        if self.sampling not in SAMPLINGS:
            raise InvalidArgument("sampling", self.sampling, f"must be {' or '.join(SAMPLINGS)}")
        _check_momentum(self.momentum)
        if not isinstance(self.nesterov, bool):
            raise InvalidArgument("nesterov", self.nesterov, "must be True or False")
        if self.nesterov and self.exact_momentum() is None:
            raise InvalidArgument("nesterov", self.nesterov, "needs a momentum above 0")

    @property
    def threshold_formula(self) -> str:  # type: ignore[override]
        """The stability threshold as a formula."""
        if self.exact_momentum() is None:
            return GD.threshold_formula
        return (Nesterov if self.nesterov else HeavyBall).threshold_formula

    def exact_momentum(self) -> Exact | None:
        """Return β as an exact number, None if it is 0."""
        momentum = exact(self.momentum, "momentum")
        return None if momentum == 0 else momentum

    def stability_threshold(self, lr: float) -> float:
        """Return the threshold of the full-batch update with the same momentum."""
        beta = float(exact(self.momentum))
        return _nesterov_threshold(lr, beta) if self.nesterov else (2 + 2 * beta) / lr

    def describe(self) -> dict[str, Any]:
        """Return the optimiser as JSON-able data; `from_description` reads it back."""
        return {
            **super().describe(),
            "batch_size": self.batch_size,
            "sampling": self.sampling,
            "seed": self.seed,
            **written("momentum", self.momentum),
            "nesterov": self.nesterov,
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> SGD:
        """Return the optimiser that `describe` described; errors as `GD.from_description`."""
        kept = ("batch_size", "sampling", "seed", "nesterov")
        lr = _described_lr(cls.name, description, "momentum_exact", *kept)
        given = {name: description[name] for name in kept}
        return cls(lr=lr, momentum=read_back("momentum", description), **given)


@dataclass(frozen=True)
class GradientFlow:
    """Gradient flow dθ/dt = -∇L(θ), by Runge-Kutta steps of order four.

    Parameters
    ----------
    step : exact number, optional
        The step h > 0; steps are stable up to h S = 2.785, S the sharpness. None: h = `factor`/S.
    factor : float
    every : int
        Steps between two measurements of S.
    guard : bool
        Measure S also when the curvature has grown, and redo steps that were too long.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule, or one of the adaptive step is given with a fixed one.
    """

    step: Any = None
    factor: float = 1.0
    every: int = 50
    guard: bool = True
    name: ClassVar[str] = "gradient-flow"
    threshold_formula: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if isinstance(self.factor, bool) or not isinstance(self.factor, (int, float)):
            raise InvalidArgument("factor", self.factor, "must be a positive number")
        if not 0 < self.factor < math.inf:
            raise InvalidArgument("factor", self.factor, "must be a positive number")
        object.__setattr__(self, "factor", float(self.factor))
        object.__setattr__(self, "every", whole_number(self.every, "every", 1))
        if not isinstance(self.guard, bool):
            raise InvalidArgument("guard", self.guard, "must be True or False")
        if self.step is None:
            return
        if not exact(self.step, "step") > 0:
            raise InvalidArgument("step", self.step, "must be positive")
        for name, default in (("factor", 1.0), ("every", 50), ("guard", True)):
            if getattr(self, name) != default:
                rule = "must be left out with a fixed step: it says how h follows the sharpness"
                raise InvalidArgument(name, getattr(self, name), rule)

    def exact_momentum(self) -> Exact | None:
        """Return None: a flow has no velocity."""
        return None

    def stability_threshold(self, lr: float) -> float:
        """Return infinity: a flow is stable at any curvature."""
        return math.inf

    def describe(self) -> dict[str, Any]:
        """Return the optimiser as JSON-able data; `from_description` reads it back."""
        if self.step is not None:
            return {"name": self.name, **written("step", self.step)}
        adaptive = {"factor": self.factor, "every": self.every, "guard": self.guard}
        return {"name": self.name, "step": None, **adaptive}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> GradientFlow:
        """Return the optimiser that `describe` described; errors as `GD.from_description`."""
        _require(cls.name, description, "step")
        if description["step"] is not None:
            return cls(read_back("step", description))
        _require(cls.name, description, "factor", "every", "guard")
        return cls(None, *(description[name] for name in ("factor", "every", "guard")))


Optimizer = GD | HeavyBall | Nesterov | SGD | GradientFlow
OPTIMIZERS = {one.name: one for one in (GD, HeavyBall, Nesterov, SGD, GradientFlow)}
"""Every optimiser by its name."""


def from_description(description: Mapping[str, Any]) -> Optimizer:
    """Return the optimiser that its `describe` described, exactly.

    Raises
    ------
    InvalidArgument
        If it is no optimiser's description.
    """
    try:
        kind = OPTIMIZERS[description["name"]]
        return kind.from_description(description)
    except (KeyError, TypeError):
        rule = f"must be the description of {' or '.join(OPTIMIZERS)}"
        raise InvalidArgument("optimizer", description, rule) from None


def _check_momentum(momentum: Any) -> None:
    if not 0 <= exact(momentum, "momentum") < 1:
        raise InvalidArgument("momentum", momentum, "must be at least 0 and below 1")


def _nesterov_threshold(lr: float, beta: float) -> float:
    return (2 + 2 * beta) / (lr * (1 + 2 * beta))


def _require(name: str, description: Mapping[str, Any], *keys: str) -> None:
    """Refuse a description of another optimiser, or one that lacks an entry."""
    if description.get("name") != name or any(key not in description for key in keys):
        rule = f'must have name "{name}" and {", ".join(keys)}'
        raise InvalidArgument("optimizer", dict(description), rule)


def _described_lr(name: str, description: Mapping[str, Any], *keys: str) -> Any:
    """Return the learning rate of a description."""
    if "schedule" in description:
        _require(name, description, *keys)
        return schedule_from(description["schedule"])
    _require(name, description, "lr_exact", *keys)
    return read_back("lr", description)
