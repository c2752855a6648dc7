"""One training run at many precisions, side by side."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from precipice.devices import Device, say_fallback
from precipice.errors import InvalidArgument
from precipice.executor import checked_workers, execute, machine_memory, makespan
from precipice.formats import DEFAULT_PRECISIONS
from precipice.mixed import MixedPrecision
from precipice.precision import Precision
from precipice.study.header import carried_out_with, describe_settings, describe_theory
from precipice.switching import RunPrecision, SwitchedPrecision, parse_precision

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from precipice.initialisers import Initialiser
    from precipice.models import Model
    from precipice.optimizers import Optimizer
    from precipice.problems import Problem
    from precipice.record import Record
    from precipice.results import Run
    from precipice.simulation import PreparedRun, Progress

SCHEMA_VERSION = 1


class ComparisonInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a comparison; what was computed until then is not lost.

    Attributes
    ----------
    comparison : Comparison
        Every run as far as it came, the unfinished ones with outcome ``cancelled``.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        super().__init__("comparison interrupted")


@dataclass(frozen=True)
class Estimate:
    """What a comparison will cost.

    Attributes
    ----------
    seconds : float
        Wall time on `workers` threads.
    bytes : int
        Memory that all runs hold together, recorded series included.
    workers : int
        Number of threads.
    """

    seconds: float
    bytes: int
    workers: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """One training run at many precisions.

    Two comparisons are equal if their documents, all recorded numbers (NaN and infinities
    included) and the exact parameters of every run are; wall times are not compared.

    Attributes
    ----------
    problem, model, optimizer : dict
        What was trained, as plain JSON values; `problem` carries the SHA-256 of its exact data.
    settings : dict
        Every other argument and the definitions that travel with the numbers.
    theory : dict
        Float64 quantities of the problem: difficulty, predicted sharpness, 2/η, bounds.
    runs : tuple of Run
        One a precision, in the order asked for.
    """

    problem: dict[str, Any]
    model: dict[str, Any]
    optimizer: dict[str, Any]
    settings: dict[str, Any]
    theory: dict[str, Any]
    runs: tuple[Run, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document: plain values, non-finite numbers as None."""
        return {**self.header(), "runs": [run.to_dict() for run in self.runs]}

    def header(self) -> dict[str, Any]:
        """Return the document without its runs."""
        header = {
            "schema_version": SCHEMA_VERSION,
            "problem": self.problem,
            "model": self.model,
            "optimizer": self.optimizer,
            "settings": self.settings,
            "theory": self.theory,
        }
        return {key: finite_or_none(value) for key, value in header.items()}

    def table(self) -> str:
        """Return one row a precision and the definitions, as plain text of 100 columns."""
        from precipice.study.table import as_text

        return as_text(self)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw loss and sharpness over the steps.

        Parameters
        ----------
        path : str or Path, optional
            Where to write the figure; its suffix chooses the format (png, pdf, svg).

        Raises
        ------
        InvalidArgument
            If the suffix names no format that matplotlib writes.
        """
        from precipice.plots import comparison_figure, write_figure

        figure = comparison_figure(self)
        if path is not None:
            write_figure(figure, path)
        return figure

    def save(self, directory: str | Path) -> Path:
        """Write the comparison into a directory, all of it or nothing.

        Parameters
        ----------
        directory : str or Path
            A directory that is absent, empty, or holds a comparison with the same spec.

        Returns
        -------
        Path
            The directory.

        Raises
        ------
        InvalidArgument
            If the directory holds something else.
        """
        from precipice.study.storage import save

        return save(self, directory)

    def __eq__(self, other: object) -> bool:
        """Compare documents, recorded numbers and exact parameters."""
        if not isinstance(other, Comparison):
            return NotImplemented
        from precipice.study.storage import same

        return same(self, other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class PreparedComparison:
    """A comparison that is ready to run: everything checked, nothing computed.

    Attributes
    ----------
    header : Comparison
        The comparison without its runs.
    prepared : tuple of PreparedRun
        One a precision.
    """

    header: Comparison
    prepared: tuple[PreparedRun, ...]

    @property
    def devices(self) -> tuple[Device, ...]:
        """What carries out each run."""
        return tuple(one.plan.device for one in self.prepared)

    def estimate(self, workers: int | None = None) -> Estimate:
        """Return the wall time and memory of the comparison on `workers` threads."""
        threads = min(checked_workers(workers), len(self.prepared))
        costs = [prepared.estimate() for prepared in self.prepared]
        seconds = makespan([cost[0] for cost in costs], threads)
        return Estimate(seconds, sum(cost[1] for cost in costs), threads)

    def run(
        self,
        *,
        workers: int | None = None,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Comparison:
        """Carry the comparison out; see `compare` for the arguments and errors."""
        estimate = self.estimate(workers)
        memory = machine_memory()
        if estimate.bytes > memory:
            raise InvalidArgument(
                "memory",
                f"{estimate.bytes / 2**30:.1f} GiB",
                f"must fit this machine's {memory / 2**30:.1f} GiB: "
                "record less often or compare fewer precisions at a time",
            )
        gathered = execute(self.prepared, workers=workers, progress=progress, stop=stop)
        result = replace(
            self.header,
            settings={**self.header.settings, **carried_out_with(gathered.runs)},
            runs=gathered.runs,
        )
        if gathered.interrupted:
            raise ComparisonInterrupted(result)
        return result


def prepare_comparison(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    precisions: Sequence[Any] = DEFAULT_PRECISIONS,
    rounding_seed: int | None = None,
    **keywords: Any,
) -> PreparedComparison:
    """Check every argument of a comparison and prepare its runs.

    Takes the keywords of `compare` that say what is computed.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule, or a precision is named twice.
    """
    from precipice.simulation import prepare

    formats = checked_precisions(precisions)
    if rounding_seed is not None and not any(precision.stochastic for precision in formats):
        rule = "needs a precision that rounds stochastically, such as bfloat16:sr"
        raise InvalidArgument("rounding_seed", rounding_seed, rule)
    folder = keywords.pop("checkpoint", None)
    prepared = tuple(
        prepare(
            problem,
            model,
            optimizer,
            precision=precision,
            rounding_seed=rounding_seed if precision.stochastic else None,
            checkpoint=None if folder is None else run_folder(folder, precision),
            **keywords,
        )
        for precision in formats
    )
    header = Comparison(
        problem=problem.to_dict(),
        model=model.describe(),
        optimizer=optimizer.describe(),
        settings=describe_settings(
            formats, prepared[0].plan.settings, keywords.get("order", "sequential"), rounding_seed
        ),
        theory=describe_theory(problem, model, optimizer, keywords),
        runs=(),
    )
    return PreparedComparison(header, prepared)


def compare(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    precisions: Sequence[Any] = DEFAULT_PRECISIONS,
    steps: int,
    init: Initialiser,
    loss: str = "half_mean",
    order: str = "sequential",
    rounding_seed: int | None = None,
    coordinates: str = "primal",
    problem_dtype: Any = "float64",
    record: Record | None = None,
    measure_precision: Any = "float64",
    blowup_factor: float | None = 1e6,
    tol: float | None = None,
    max_seconds: float | None = None,
    engine: str = "core",
    device: str | Device = "cpu",
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 5.0,
    resume: bool = False,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Comparison:
    """Train the same problem from the same start at many precisions.

    Parameters
    ----------
    problem, model, optimizer, steps, init, loss, order, coordinates, problem_dtype
        As in `simulate`.
    record, measure_precision, blowup_factor, tol, max_seconds, engine, device
        As in `simulate`; `record` defaults to loss and sharpness at every step.
    precisions : sequence of str, Precision, MixedPrecision, SwitchedPrecision or dtype
        What to train in, each once.
    rounding_seed : int, optional
        Seed of the precisions that round stochastically; needed if there are any, and only then.
    checkpoint : str or Path, optional
        A folder in which every run has one of its own with its exact state, saved every
        `checkpoint_seconds`; with `resume` the runs go on from there.
    workers : int, optional
        Number of threads; default one for each core. No result depends on it.
    progress : callable, optional
        Called from worker threads, between blocks of steps, with a `Progress`.

    Returns
    -------
    Comparison
        One run a precision, in the order asked for. A run that blows up is a result.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule, a precision is named twice, or the runs would not fit
        this machine's memory; nothing has been computed then.
    ComparisonInterrupted
        On Ctrl-C; a KeyboardInterrupt that carries what was computed.
    """
    from precipice.record import Record

    prepared = prepare_comparison(
        problem,
        model,
        optimizer,
        precisions=precisions,
        steps=steps,
        init=init,
        loss=loss,
        order=order,
        rounding_seed=rounding_seed,
        coordinates=coordinates,
        problem_dtype=problem_dtype,
        record=Record(loss=1, sharpness=1) if record is None else record,
        measure_precision=measure_precision,
        blowup_factor=blowup_factor,
        tol=tol,
        max_seconds=max_seconds,
        engine=engine,
        device=device,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
        resume=resume,
    )
    say_fallback(prepared.devices)
    return prepared.run(workers=workers, progress=progress)


def checked_precisions(precisions: Sequence[Any]) -> tuple[RunPrecision, ...]:
    """Return the formats named, each once.

    Raises
    ------
    InvalidArgument
        If there are none, one is unknown, or two are the same.
    """
    if isinstance(precisions, (str, Precision, MixedPrecision, SwitchedPrecision)):
        precisions = [precisions]
    formats = tuple(parse_precision(precision) for precision in precisions)
    if not formats:
        raise InvalidArgument("precision", "", "at least one must be named")
    names = [str(precision) for precision in formats]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument("precision", ",".join(names), f"{name} is named twice")
    return formats


def run_folder(folder: str | Path, precision: RunPrecision) -> Path:
    """Return the folder of one run's checkpoint among those of a comparison."""
    return Path(folder) / quote(precision.name, safe="")


def finite_or_none(value: Any) -> Any:
    """Return plain JSON values with every non-finite number as None."""
    if isinstance(value, dict):
        return {str(key): finite_or_none(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_or_none(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
