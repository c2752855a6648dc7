"""Step sizes × precisions: an ensemble for each pair, and what became of them side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from precipice.devices import Device, say_fallback
from precipice.errors import InvalidArgument
from precipice.executor import interrupt_sets
from precipice.optimizers import GD
from precipice.study.comparison import checked_precisions, finite_or_none
from precipice.study.ensemble import EnsembleInterrupted, PreparedEnsemble, prepare_ensemble
from precipice.study.ensemble_results import CANCELLED, Ensemble
from precipice.study.ensemble_run import EnsembleProgress
from precipice.study.members import Members, several

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from precipice.models import Model
    from precipice.problems import Problem

SCHEMA_VERSION = 1


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a sweep; what was computed until then is not lost.

    Attributes
    ----------
    sweep : Sweep
        Members that did not end, and those that did not begin, have the outcome ``"cancelled"``.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        super().__init__("sweep interrupted")


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep has come.

    Attributes
    ----------
    cell, cells : int
        The ensemble that is being carried out, from 0, and how many there are.
    precision, lr : str
        Of that one.
    ensemble : EnsembleProgress
    """

    cell: int
    cells: int
    precision: str
    lr: str
    ensemble: EnsembleProgress


@dataclass(frozen=True, eq=False)
class Sweep:
    """An ensemble for each precision and step size; equal if all of them are.

    Attributes
    ----------
    precisions, lrs : tuple of str
    cells : tuple of tuple of Ensemble
        A row a precision, a column a step size.
    """

    precisions: tuple[str, ...]
    lrs: tuple[str, ...]
    cells: tuple[tuple[Ensemble, ...], ...]

    def cell(self, precision: str, lr: str) -> Ensemble:
        """Return the ensemble of a precision and a step size, named as in `precisions` and `lrs`.

        Raises
        ------
        InvalidArgument
            If there is none.
        """
        for argument, name, known in (
            ("precision", precision, self.precisions),
            ("lr", lr, self.lrs),
        ):
            if name not in known:
                raise InvalidArgument(argument, name, f"must be one of {', '.join(known)}")
        return self.cells[self.precisions.index(precision)][self.lrs.index(lr)]

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """All of them, precision by precision."""
        return tuple(ensemble for row in self.cells for ensemble in row)

    def header(self) -> dict[str, Any]:
        """Return what was asked, as JSON-able data."""
        first = self.cells[0][0]
        return {
            "schema_version": SCHEMA_VERSION,
            "problem": finite_or_none(first.problem),
            "model": finite_or_none(first.model),
            "precisions": list(self.precisions),
            "lrs": list(self.lrs),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document: for each cell its settings, shares and spreads."""
        from precipice.study.sweep_table import cell_entries

        return {**self.header(), "cells": cell_entries(self)}

    def table(self) -> str:
        """Return a line a cell, as plain text of 100 columns."""
        from precipice.study.sweep_table import as_text

        return as_text(self)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw shares of blow-ups and medians of drops as two maps.

        Raises
        ------
        InvalidArgument
            If the suffix of `path` names no format that matplotlib writes.
        """
        from precipice.plots import write_figure
        from precipice.study.sweep_plot import sweep_figure

        figure = sweep_figure(self)
        if path is not None:
            write_figure(figure, path)
        return figure

    def save(self, directory: str | Path) -> Path:
        """Write the sweep into a directory, all of it or nothing.

        Raises
        ------
        InvalidArgument
            If the directory holds something else.
        """
        from precipice.study.sweep_storage import save

        return save(self, directory)

    def __eq__(self, other: object) -> bool:
        """Compare every ensemble."""
        if not isinstance(other, Sweep):
            return NotImplemented
        names = (self.precisions, self.lrs) == (other.precisions, other.lrs)
        return names and self.ensembles == other.ensembles

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class PreparedSweep:
    """A sweep that is ready to run: everything checked, nothing computed.

    Attributes
    ----------
    header : Sweep
        Every ensemble before its first step.
    prepared : tuple of PreparedEnsemble
        Precision by precision.
    """

    header: Sweep
    prepared: tuple[PreparedEnsemble, ...]

    @property
    def devices(self) -> tuple[Device, ...]:
        """What carries each ensemble out."""
        return tuple(each.plan.device for each in self.prepared)

    def estimate(self, workers: int | None = None) -> tuple[float, int]:
        """Return the wall seconds on so many threads of the processor, and bytes of memory."""
        costs = [each.estimate(workers) for each in self.prepared]
        return sum(seconds for seconds, _ in costs), sum(memory for _, memory in costs)

    def run(
        self,
        *,
        workers: int | None = None,
        progress: Callable[[SweepProgress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Sweep:
        """Carry the sweep out, a cell after the other; see `precipice.sweep`."""
        halt = threading.Event() if stop is None else stop
        done: list[Ensemble] = []
        with interrupt_sets(halt) as interrupted:
            for number, cell in enumerate(self.prepared):
                if halt.is_set():
                    done.append(cell.header)
                    continue
                shown = None if progress is None else self._reporter(progress, number)
                try:
                    done.append(cell.run(workers=workers, progress=shown, stop=halt))
                except EnsembleInterrupted as stopped:
                    done.append(stopped.ensemble)
                    interrupted.set()
            width = len(self.header.lrs)
            rows = (tuple(done[i : i + width]) for i in range(0, len(done), width))
            sweep = Sweep(self.header.precisions, self.header.lrs, tuple(rows))
        if interrupted.is_set():
            raise SweepInterrupted(sweep)
        return sweep

    def _reporter(
        self, progress: Callable[[SweepProgress], None], number: int
    ) -> Callable[[EnsembleProgress], None]:
        header = self.prepared[number].header
        cells, lr = len(self.prepared), header.members.lrs[0]
        return lambda now: progress(SweepProgress(number, cells, header.precision, lr, now))


def prepare_sweep(
    problem: Problem,
    model: Model,
    *,
    lrs: Iterable[Any],
    precisions: Sequence[Any],
    optimizer: Any = None,
    rounding_seed: int | None = None,
    checkpoint: str | Path | None = None,
    **keywords: Any,
) -> PreparedSweep:
    """Check and round the arguments of `sweep`, whose errors it raises, without running."""
    formats = checked_precisions(precisions)
    if rounding_seed is not None and not any(each.stochastic for each in formats):
        rule = "needs a precision that rounds stochastically, such as bfloat16:sr"
        raise InvalidArgument("rounding_seed", rounding_seed, rule)
    listed = [lrs] if isinstance(lrs, str) else several("lrs", lrs)
    first = GD(listed[0]) if optimizer is None else optimizer
    members = Members.of(first, keywords.get("init"), listed, None, 1, 0, None)
    rows = [
        tuple(
            prepare_ensemble(
                problem,
                model,
                members.optimizer_of(i),
                precision=precision,
                rounding_seed=rounding_seed if precision.stochastic else None,
                checkpoint=None
                if checkpoint is None
                else Path(checkpoint) / quote(str(precision), safe="") / quote(lr, safe=""),
                **keywords,
            )
            for i, lr in enumerate(members.lrs)
        )
        for precision in formats
    ]
    header = Sweep(
        tuple(map(str, formats)),
        members.lrs,
        tuple(tuple(each.header for each in row) for row in rows),
    )
    return PreparedSweep(header, tuple(each for row in rows for each in row))


def sweep(
    problem: Problem,
    model: Model,
    *,
    workers: int | None = None,
    progress: Callable[[SweepProgress], None] | None = None,
    **keywords: Any,
) -> Sweep:
    """Train an ensemble at each of several precisions with each of several step sizes.

    Parameters
    ----------
    problem, model
        As in `simulate`.
    lrs : sequence of numbers
        Step sizes, exact.
    precisions : sequence of str, Precision, MixedPrecision or dtype
    optimizer : GD, HeavyBall, Nesterov or SGD, optional
        Whose step size is replaced; default gradient descent.
    workers, progress
        As in `ensemble`; `progress` is called with a `SweepProgress`.
    checkpoint : str or Path, optional
        A folder in which each ensemble has one of its own.
    **keywords
        The others of `ensemble` but `lrs`: steps, init, seeds, perturbations, record, …

    Returns
    -------
    Sweep

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule; nothing has been computed then.
    SweepInterrupted
        On Ctrl-C; a KeyboardInterrupt that carries what was computed.
    """
    prepared = prepare_sweep(problem, model, **keywords)
    say_fallback(prepared.devices)
    return prepared.run(workers=workers, progress=progress)


def unfinished(sweep: Sweep) -> bool:
    """Return whether a member of any ensemble was cut short."""
    return any((each.outcomes == CANCELLED).any() for each in sweep.ensembles)
