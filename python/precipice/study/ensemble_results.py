"""What came back from an ensemble: how its members ended, and what they recorded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from precipice.analysis.events import Events, find_events
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.mixed import format_of, working_precision
from precipice.record import Record
from precipice.stepping import Stepping, problem_rounding, stepping
from precipice.study.comparison import finite_or_none
from precipice.study.ensemble_records import EnsembleSeries, EnsembleWindows
from precipice.study.header import MACHINE_SETTINGS
from precipice.study.members import Members
from precipice.study.shares import Share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA_VERSION = 1
ELSEWHERE = (*MACHINE_SETTINGS, "carried_out_by")
"""Settings that say with what an ensemble was carried out, not what it asks."""
CANCELLED, BLOWUP = "cancelled", "blowup"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Many runs that differ in step size, start, last bits or draws.

    Two ensembles are equal if they asked the same and every member ended in the same way, with
    the same records (NaN included) and the same exact parameters: whatever the device, the
    number of threads and the time.

    Attributes
    ----------
    problem, model, optimizer : dict
        What was trained, as plain JSON values; `optimizer` with the first step size.
    settings : dict
        Every other argument, and the definitions that travel with the numbers.
    members : Members
        Step size, seed and perturbation of each.
    outcomes : ndarray of str, shape (R,)
        How each ended: the names of `precipice.Outcome`.
    steps : ndarray of int64, shape (R,)
        The last step of each.
    windows : EnsembleWindows or None
    loss, sharpness : EnsembleSeries or None
    parameters_sha256 : tuple of str
        Of each member's final parameters, as exact text; empty for one that did not end.
    seconds : float
        Wall time.
    """

    problem: dict[str, Any]
    model: dict[str, Any]
    optimizer: dict[str, Any]
    settings: dict[str, Any]
    members: Members
    outcomes: npt.NDArray[np.str_]
    steps: npt.NDArray[np.int64]
    windows: EnsembleWindows | None
    loss: EnsembleSeries | None
    sharpness: EnsembleSeries | None
    parameters_sha256: tuple[str, ...]
    seconds: float

    @property
    def size(self) -> int:
        """The number of members, R."""
        return self.members.size

    @property
    def precision(self) -> str:
        """The name of the working format."""
        return str(self.settings["precision_name"])

    @property
    def distinct(self) -> int:
        """How many final parameters there are among the members that ended.

        Starts that are moved alike, of which few parameters leave few, are one run; and starts
        that differ may come to the same numbers on their way.
        """
        return len(set(self.parameters_sha256) - {""})

    @property
    def blowup_step(self) -> npt.NDArray[np.int64]:
        """The step at which each member blew up, -1 for one that did not; shape (R,)."""
        return np.where(self.outcomes == BLOWUP, self.steps, -1)

    @cached_property
    def crossing(self) -> npt.NDArray[np.int64]:
        """The first excursion's crossing of 2/η in each member, -1 for none; shape (R,).

        All -1 unless the sharpness was recorded at every step; so is `drop`.
        """
        return np.asarray(self._first_excursions[0])

    @cached_property
    def drop(self) -> npt.NDArray[np.int64]:
        """The step at which the first excursion's sharpness drops below 2/η again; shape (R,)."""
        return np.asarray(self._first_excursions[1])

    @cached_property
    def _first_excursions(self) -> npt.NDArray[np.int64]:
        found = np.full((2, self.size), -1, np.int64)
        if self.settings["record"]["sharpness"] != 1:
            return found
        for member in range(self.size):
            excursions = self.events(member).catapults
            if excursions:
                drop = excursions[0].drop_step
                found[:, member] = excursions[0].crossing, -1 if drop is None else drop
        return found

    def events(self, member: int, merge: int = 20, spike_factor: float = 2.0) -> Events:
        """Return a member's crossings, catapults and blow-up, as `Run.events` does.

        Raises
        ------
        InvalidArgument
            If there is no such member.
        """
        member = self._checked(member)
        last, ended = int(self.steps[member]), self.outcomes[member] != CANCELLED
        nothing: tuple[npt.NDArray[Any], ...] = (np.empty(0, np.int64), np.empty(0))
        loss = nothing if self.loss is None else self.loss.of(member, last, ended)
        sharpness = nothing if self.sharpness is None else self.sharpness.of(member, last, ended)
        of_steps = self.steppings[self.members.lr_index(member)]
        return find_events(
            loss[0],
            loss[1],
            None,
            sharpness[0],
            sharpness[1],
            threshold=of_steps.threshold_at(0),
            lr=of_steps.lr if of_steps.factor == 2 else None,
            last_step=last,
            blowup_step=last if self.outcomes[member] == BLOWUP else None,
            merge=merge,
            spike_factor=spike_factor,
        )

    @cached_property
    def steppings(self) -> list[Stepping]:
        """η and the threshold of each step size."""
        update = format_of(working_precision(self.precision), "update")
        rounding = problem_rounding(self.settings["problem_dtype"])
        optimizers = (self.members.optimizer_of(i) for i in range(len(self.members.lrs)))
        return [stepping(each, self.settings["steps"], rounding, update) for each in optimizers]

    @property
    def threshold_formula(self) -> str:
        """The stability threshold in words, ``"2/η"`` for gradient descent."""
        return self.members.optimizer.threshold_formula

    def fractions(self, which: Any = None) -> dict[str, Share]:
        """Return the share of each outcome, the most frequent first.

        Parameters
        ----------
        which : array_like, optional
            Which members to look at: indices, or a mask of shape (R,).

        Raises
        ------
        InvalidArgument
            If it says none, or is no such thing.
        """
        every = np.arange(self.size)
        asked = every if which is None else np.asarray(which)
        try:
            chosen = every[asked].ravel() if asked.size else every[:0]
        except IndexError:
            rule = f"must be indices below {self.size} or a mask of {self.size}"
            raise InvalidArgument("which", which, rule) from None
        if not chosen.size:
            raise InvalidArgument("which", "none", "must say at least one member")
        outcomes = self.outcomes[chosen]
        names, counts = np.unique(outcomes, return_counts=True)
        order = sorted(range(names.size), key=lambda i: (-counts[i], names[i]))
        return {str(names[i]): Share(int(counts[i]), int(outcomes.size)) for i in order}

    def member(self, member: int) -> dict[str, Any]:
        """Return the arguments with which `precipice.simulate` makes a member again, bit for bit.

        All but problem and model: ``pc.simulate(problem, model, **ensemble.member(3))``.

        Raises
        ------
        InvalidArgument
            If there is no such member.
        """
        member = self._checked(member)
        own, settings = self.members, self.settings
        factor = settings["blowup_factor"]
        keywords = {
            "optimizer": own.optimizer_of(own.lr_index(member)),
            "precision": self.precision,
            "init": own.init_of(member),
            "record": Record(**settings["record"]),
            "blowup_factor": float(factor) if isinstance(factor, str) else factor,
        }
        names = ("steps", "loss", "order", "coordinates", "problem_dtype", "tol")
        keywords |= {name: settings[name] for name in names}
        if "rounding_seed" in settings:
            keywords |= {"rounding_seed": settings["rounding_seed"], "rounding_run": member}
        return keywords

    def _checked(self, member: Any) -> int:
        return whole_number(member, "member", 0, self.size - 1)

    def header(self) -> dict[str, Any]:
        """Return what was asked, and with what it was carried out, as JSON-able data."""
        return {
            "schema_version": SCHEMA_VERSION,
            "problem": finite_or_none(self.problem),
            "model": finite_or_none(self.model),
            "optimizer": finite_or_none(self.optimizer),
            "settings": finite_or_none(self.settings),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document: shares of all and of each step size, and a row a member."""
        from precipice.study.ensemble_table import groups, rows

        return {
            **self.header(),
            "fractions": {name: share.to_dict() for name, share in self.fractions().items()},
            "distinct": self.distinct,
            "groups": finite_or_none([group.to_dict() for group in groups(self)]),
            "members": finite_or_none(rows(self)),
            "seconds": self.seconds,
        }

    def table(self) -> str:
        """Return shares and spreads, a block a step size, as plain text of 100 columns."""
        from precipice.study.ensemble_table import as_text

        return as_text(self)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the members' losses, and when they dropped or blew up.

        Parameters
        ----------
        path : str or Path, optional
            Where to write the figure; its suffix chooses the format (png, pdf, svg).

        Raises
        ------
        InvalidArgument
            If the suffix names no format that matplotlib writes.
        """
        from precipice.plots import write_figure
        from precipice.study.ensemble_plot import ensemble_figure

        figure = ensemble_figure(self)
        if path is not None:
            write_figure(figure, path)
        return figure

    def save(self, directory: str | Path) -> Path:
        """Write the ensemble into a directory, all of it or nothing.

        Parameters
        ----------
        directory : str or Path
            Absent, empty, or holding an ensemble that asks the same.

        Raises
        ------
        InvalidArgument
            If the directory holds something else.
        """
        from precipice.study.ensemble_storage import save

        return save(self, directory)

    def __eq__(self, other: object) -> bool:
        """Compare what was asked, and every number that came of it."""
        if not isinstance(other, Ensemble):
            return NotImplemented
        from precipice.study.ensemble_storage import same

        return same(self, other)

    __hash__ = None  # type: ignore[assignment]
