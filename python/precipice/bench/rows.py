"""What a benchmark gives: rows, and what they were measured on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One engine at one shape and precision.

    Attributes
    ----------
    shape, precision, engine : str
    bits : int
        Of the significand.
    scope : str
        What was timed; why nothing was, if so.
    nanoseconds : float or None
        Per multiply-add of the two products X u and Xᵀz; None if nothing was timed.
    microseconds : float or None
        Per step; None where no whole steps on the whole data were timed: nothing is
        extrapolated.
    ratio : float or None
        precipice's time per multiply-add over this engine's, median of the rounds' quotients.
    rounds : int
    spread : float or None
        Greatest less least time of the rounds, over their median.
    agreement : str
        How its answer compares with precipice's.
    stage : str
        ``"step"`` for whole steps, or one of `precipice.bench.stages.STAGES`.
    data : str
        Whether X holds float64 numbers or numbers of all the format's bits.
    floor : float or None
        The least nanoseconds per multiply-add by the model of `precipice.bench.floors`, for
        precipice's own rows; None where nothing is modelled.
    floor_set_by : str
        What sets it: multiplications or bytes.
    """

    shape: str
    precision: str
    bits: int
    engine: str
    scope: str
    nanoseconds: float | None = None
    microseconds: float | None = None
    ratio: float | None = None
    rounds: int = 0
    agreement: str = ""
    stage: str = "step"
    data: str = "float64"
    floor: float | None = None
    floor_set_by: str = ""
    spread: float | None = None

    @property
    def share(self) -> float | None:
        """The floor over the time measured."""
        if self.floor is None or self.nanoseconds is None:
            return None
        return self.floor / self.nanoseconds


@dataclass(frozen=True)
class Benchmark:
    """Rows, and what they were measured on."""

    rows: tuple[Row, ...]
    machine: dict[str, Any]
    versions: dict[str, str]
    method: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "machine": self.machine,
            "versions": self.versions,
            "method": self.method,
            "rows": [asdict(row) for row in self.rows],
        }
