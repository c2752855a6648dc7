"""Which series a run records, and how often."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any

from precipice.errors import InvalidArgument
from precipice.exact import whole_number


@dataclass(frozen=True)
class Adaptive:
    """A cadence for the sharpness that is dense where precision matters.

    It is measured every `every` steps while it is below `near` times the threshold of stability
    (2/η for gradient descent), and where the full-batch loss has risen, as it does only above.
    The first measurement above that, or where the loss has risen, sends the run back to the last
    one below, from where each step is measured: the crossing is found to the step, and so is what
    follows. After `quiet` steps in a row below, the loss falling, it is measured rarely again.
    An excursion without a rise of the loss may be missed between two measurements. A run that
    blows up in between goes back too. Going back costs at most `every` steps for each excursion,
    and a copy of the parameters.

    Parameters
    ----------
    every : int
    near : float
        In (0, 1].
    quiet : int

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.
    """

    every: int = 32
    near: float = 0.9
    quiet: int = 20

    def __post_init__(self) -> None:
        for name in ("every", "quiet"):
            count = whole_number(getattr(self, name), f"adaptive.{name}", 1)
            object.__setattr__(self, name, count)
        given: Any = self.near
        near = float(given) if isinstance(given, Real) else math.nan
        if not 0 < near <= 1:
            raise InvalidArgument("adaptive.near", given, "must be in (0, 1]")
        object.__setattr__(self, "near", near)


@dataclass(frozen=True)
class Record:
    """The cadence of each recorded series, in steps; 0 records nothing.

    A series with cadence n is recorded at steps 0, n, 2n, … and always at the last step and at
    the blow-up. Sharpness with n > 1 is recorded at consecutive pairs of steps (t, t + 1), since
    it oscillates with period 2 at the edge of stability. Only a cancelled run may end at a step
    that is not recorded: evaluating it could take as long as what was cancelled.

    Parameters
    ----------
    loss : int
        The loss L, as the run itself rounds it.
    sharpness : int or Adaptive
        λ_max of the loss's Hessian at the iterate.
    parameters : int
        All parameters, exactly; the one series whose size grows with the model.
    layer_imbalance : int
        C(θ) for depth 2, the vector ‖Π_W u‖² - v_j² for more.
    eigenvalues : int
        The `top` largest eigenvalues of the loss's Hessian, and the smallest.
    quantities : int
        What Wang et al. (2022) follow along a run of the two-layer linear network
        (`precipice.curvature.QUANTITIES`); R′ needs every step.
    window : int
        The least, greatest and last loss of every so many steps, 0 for none: what a loss recorded
        now and then would miss of a spike. No cadence: every step counts.
    top : int
        How many of the largest eigenvalues; no cadence.

    Raises
    ------
    InvalidArgument
        If a cadence is not an integer of at least 0, or `top` not one of at least 1.
    """

    loss: int = 0
    sharpness: int | Adaptive = 0
    parameters: int = 0
    layer_imbalance: int = 0
    eigenvalues: int = 0
    quantities: int = 0
    window: int = 0
    top: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if field.name == "sharpness" and isinstance(given, Adaptive):
                continue
            number = whole_number(given, f"record.{field.name}", 1 if field.name == "top" else 0)
            object.__setattr__(self, field.name, number)

    @property
    def curvature(self) -> bool:
        """Whether anything is measured on the loss's surface."""
        return any((self.sharpness, self.layer_imbalance, self.eigenvalues, self.quantities))

    @property
    def adaptive(self) -> Adaptive | None:
        """The sharpness's adaptive cadence, if it has one."""
        return self.sharpness if isinstance(self.sharpness, Adaptive) else None

    @property
    def cadences(self) -> dict[str, int]:
        """How often each series is recorded (of an adaptive one, how rarely); `window`, `top`."""
        cadences = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.adaptive:
            cadences["sharpness"] = self.adaptive.every
        return cadences

    def check_top(self, parameters: int) -> None:
        """Refuse more eigenvalues than there are."""
        if self.eigenvalues and self.top > parameters:
            rule = f"must be at most {parameters}, the number of parameters"
            raise InvalidArgument("record.top", self.top, rule)

    def describe(self) -> dict[str, Any]:
        """Return the cadences as JSON-able data."""
        return asdict(self)
