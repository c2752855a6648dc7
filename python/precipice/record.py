"""Which series a run records, and how often."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from precipice.exact import whole_number


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
    sharpness : int
        λ_max of the loss's Hessian at the iterate.
    parameters : int
        All parameters, exactly; the one series whose size grows with the model.
    layer_imbalance : int
        C(θ) for depth 2, the vector ‖Π_W u‖² - v_j² for more.

    Raises
    ------
    InvalidArgument
        If a cadence is not an integer of at least 0.
    """

    loss: int = 0
    sharpness: int = 0
    parameters: int = 0
    layer_imbalance: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            cadence = whole_number(getattr(self, field.name), f"record.{field.name}", 0)
            object.__setattr__(self, field.name, cadence)

    def describe(self) -> dict[str, int]:
        """Return the cadences as JSON-able data."""
        return asdict(self)
