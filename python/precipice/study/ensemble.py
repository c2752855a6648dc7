"""Many runs of one problem at one precision: checked, carried out, interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from precipice import _core, perturbation
from precipice.devices import Device, say_fallback
from precipice.engines.engine import versions
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.executor import checked_workers, interrupt_sets, machine_memory
from precipice.placement import place
from precipice.planning import make_plan
from precipice.record import Record
from precipice.stepping import Stepping, problem_rounding, stepping
from precipice.study.ensemble_records import Recorder
from precipice.study.ensemble_results import CANCELLED, Ensemble
from precipice.study.ensemble_run import EnsembleProgress, EnsembleRun, Saver, starts_of
from precipice.study.members import Members
from precipice.switching import SwitchedPrecision, parse_precision

if TYPE_CHECKING:
    from precipice.initialisers import Initialiser
    from precipice.models import Model
    from precipice.optimizers import Optimizer
    from precipice.plan import Plan
    from precipice.problems import Problem

DEFAULT_RECORD = Record(sharpness=1, window=100)


class EnsembleInterrupted(KeyboardInterrupt):
    """Ctrl-C ended an ensemble; what was computed until then is not lost.

    Attributes
    ----------
    ensemble : Ensemble
        Every member as far as it came, the unfinished ones with outcome ``"cancelled"``.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self.ensemble = ensemble
        super().__init__("ensemble interrupted")


@dataclass(frozen=True, eq=False)
class PreparedEnsemble:
    """An ensemble that is ready to run: everything checked, nothing computed.

    Attributes
    ----------
    plan : Plan
        Of the first member.
    header : Ensemble
        The ensemble before its first step.
    saver : Saver or None
    """

    plan: Plan
    header: Ensemble
    saver: Saver | None

    @property
    def devices(self) -> tuple[Device, ...]:
        """What carries the members out."""
        return (self.plan.device,)

    def estimate(self, workers: int | None = None) -> tuple[float, int]:
        """Return the wall seconds on so many threads of the processor, and bytes of memory."""
        seconds, memory = self.plan.estimate()
        size = self.header.size
        threads = min(checked_workers(workers), size)
        arrays = Recorder.bytes(self.plan.record, size, self.plan.steps)
        return seconds * -(-size // threads), threads * memory + arrays

    def run(
        self,
        *,
        workers: int | None = None,
        progress: Callable[[EnsembleProgress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Ensemble:
        """Carry the ensemble out; see `precipice.ensemble` for the arguments and errors."""
        threads = checked_workers(workers)
        self._check_memory(workers)
        members = self.header.members
        lrs = [
            text(each.step_sizes.lr[0])
            for each in _steppings(self.plan, members)
            if each.step_sizes is not None
        ]
        starts = starts_of(self.plan, members)
        run = EnsembleRun(self.plan, members, lrs, starts)
        if self.saver is not None:
            self.saver.begin(run)
        halt = threading.Event() if stop is None else stop
        with interrupt_sets(halt) as interrupted:
            run.run(threads, halt, progress, self.saver)
            if self.saver is not None:
                run.save(self.saver.checkpoint)
            ensemble = _gathered(self.header, self.plan, run)
        if interrupted.is_set():
            raise EnsembleInterrupted(ensemble)
        return ensemble

    def _check_memory(self, workers: int | None) -> None:
        needed, memory = self.estimate(workers)[1], machine_memory()
        if needed > memory:
            raise InvalidArgument(
                "memory",
                f"{needed / 2**30:.1f} GiB",
                f"must fit this machine's {memory / 2**30:.1f} GiB: record less often",
            )


def prepare_ensemble(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    precision: Any = "float64",
    steps: int,
    init: Initialiser,
    lrs: Iterable[Any] | None = None,
    seeds: Iterable[int] | None = None,
    perturbations: int = 1,
    perturbation_seed: int = 0,
    perturbation_bits: int | None = None,
    loss: str = "half_mean",
    order: str = "sequential",
    rounding_seed: int | None = None,
    coordinates: str = "primal",
    problem_dtype: Any = "float64",
    record: Record | None = None,
    blowup_factor: float | None = 1e6,
    tol: float | None = None,
    device: str | Device = "cpu",
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 5.0,
    resume: bool = False,
) -> PreparedEnsemble:
    """Check and round the arguments of `ensemble`, whose errors it raises, without running."""
    if resume and checkpoint is None:
        raise InvalidArgument("resume", resume, "needs the checkpoint to go on from")
    working = parse_precision(precision)
    if isinstance(working, SwitchedPrecision):
        rule = "must not change on the way: an ensemble's members have one arithmetic"
        raise InvalidArgument("precision", str(working), rule)
    members = Members.of(
        optimizer, init, lrs, seeds, perturbations, perturbation_seed, perturbation_bits
    )
    plan = make_plan(
        problem,
        model,
        members.optimizer,
        precision=working,
        steps=steps,
        init=members.seeded(0),
        loss=loss,
        order=order,
        rounding_seed=rounding_seed,
        rounding_run=0,
        coordinates=coordinates,
        problem_dtype=problem_dtype,
        record=_checked_record(DEFAULT_RECORD if record is None else record),
        measure_precision="float64",
        blowup_factor=blowup_factor,
        tol=tol,
        max_seconds=None,
        engine="core",
    )
    _steppings(plan, members)
    if members.perturbations > 1 or members.perturbation_bits is not None:
        perturbation.check(plan.arithmetic.parameters, members.perturbation_bits)
    settings = {name: value for name, value in plan.settings.items() if name not in _UNTOLD}
    settings |= {"precision_name": str(working), "init": init.describe(), **members.describe()}
    header = Ensemble(
        problem.to_dict(), model.describe(), members.optimizer.describe(), settings, members,
        np.full(members.size, CANCELLED, "<U9"), np.zeros(members.size, np.int64),
        None, None, None, ("",) * members.size, 0.0,
    )  # fmt: skip
    saver = None
    if checkpoint is not None:
        spec = {**header.header(), "start": plan.spec()["start"]}
        saver = Saver.of(checkpoint, spec, checkpoint_seconds, resume)
    return PreparedEnsemble(place(plan, device), header, saver)


_UNTOLD = ("lr_exact", "optimizer", "max_seconds", "engine")  # of a plan: not an ensemble's


def _checked_record(record: Any) -> Record:
    """Refuse series that an ensemble does not record."""
    if not isinstance(record, Record):
        raise InvalidArgument("record", record, "must be a Record, such as pc.Record(window=100)")
    if record.adaptive:
        raise InvalidArgument("record.sharpness", "adaptive", "must be a number of steps here")
    for name in ("parameters", "layer_imbalance", "eigenvalues", "quantities"):
        if getattr(record, name):
            rule = "must be 0: an ensemble records loss, sharpness and windows of the loss"
            raise InvalidArgument(f"record.{name}", getattr(record, name), rule)
    return record


def _steppings(plan: Plan, members: Members) -> list[Stepping]:
    """Return the steppings of all step sizes, each checked and rounded."""
    rounding = problem_rounding(plan.settings["problem_dtype"])
    return [
        stepping(members.optimizer_of(i), plan.steps, rounding, plan.arithmetic.update)
        for i in range(len(members.lrs))
    ]


def _gathered(header: Ensemble, plan: Plan, run: EnsembleRun) -> Ensemble:
    """Return what has been computed."""
    info = _core.build_info()
    carried_out = {
        "device": plan.device.sentence,
        "carried_out_by": plan.arithmetic.availability()[1],
        "cpu_path": info["cpu_path"],
        "versions": versions(info["mpfr"], info["gmp"]),
    }
    return replace(
        header,
        settings={**header.settings, **carried_out},
        outcomes=np.where(run.outcome == "running", CANCELLED, run.outcome),
        steps=run.steps.copy(),
        windows=run.recorder.windows,
        loss=run.recorder.series.get("loss"),
        sharpness=run.recorder.series.get("sharpness"),
        parameters_sha256=tuple(run.digest),
        seconds=run.seconds,
    )


def ensemble(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    workers: int | None = None,
    progress: Callable[[EnsembleProgress], None] | None = None,
    **keywords: Any,
) -> Ensemble:
    """Train one problem many times, from starts that differ a little or a lot.

    The members are all step sizes with all seeds with all perturbations.

    Parameters
    ----------
    problem, model, precision, steps, init, loss, order, coordinates, problem_dtype
        As in `simulate`; the precision must not change on the way.
    optimizer : GD, HeavyBall, Nesterov or SGD
        With a constant learning rate.
    blowup_factor, tol
        As in `simulate`.
    lrs : sequence of numbers, optional
        Step sizes in place of the optimiser's, exact.
    seeds : sequence of int, optional
        Of the start, in place of the one in `init`.
    perturbations : int, default 1
        Starts that differ in the last bits of their parameters alone, the given one among them:
        perturbation k moves every parameter by -1, 0 or +1 unit in its last place in the
        parameters' format (`precipice.perturbation`).
    perturbation_seed : int, default 0
    perturbation_bits : int, optional
        Where the last place is counted, at most the format's bits, which are the default. A start
        may forget its very last bits before they matter: 53 moves a start at 114 bits as float64
        would.
    rounding_seed : int, optional
        Of stochastic rounding: member r has its draw number r, so that members differ without any
        perturbation.
    record : Record, optional
        Loss, sharpness and windows of the loss; default ``Record(sharpness=1, window=100)``.
    device : {"cpu", "cuda", "auto"} or Device, default "cpu"
        As in `simulate`. No result depends on it.
    workers : int, optional
        Threads; default one a core. No result depends on it.
    progress : callable, optional
        Called with an `EnsembleProgress` about ten times a second.
    checkpoint : str or Path, optional
        A folder in which the exact state of all members is saved every `checkpoint_seconds`.
    checkpoint_seconds : float, default 5
    resume : bool, default False
        Go on from the checkpoint in that folder, if there is one.

    Returns
    -------
    Ensemble

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule; nothing has been computed then.
    EnsembleInterrupted
        On Ctrl-C; a KeyboardInterrupt that carries what was computed.

    Notes
    -----
    Each member is the run that `simulate` makes of ``ensemble.member(i)``, bit for bit.
    """
    prepared = prepare_ensemble(problem, model, optimizer, **keywords)
    say_fallback(prepared.devices)
    return prepared.run(workers=workers, progress=progress)
