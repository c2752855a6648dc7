"""One training run: check and round what is given, run it, gather what comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from precipice.devices import Device, say_fallback
from precipice.engines import Engine, engine_for
from precipice.errors import InvalidArgument
from precipice.executor import execute
from precipice.initialisers import Initialiser
from precipice.models import Model
from precipice.optimizers import Optimizer
from precipice.placement import place
from precipice.plan import Plan
from precipice.planning import make_plan
from precipice.problems import Problem
from precipice.record import Record
from precipice.results import Outcome, Run
from precipice.saving import Saver, Saves
from precipice.switched_plan import SwitchedPlan, make_switched_plan
from precipice.switching import RunPrecision, SwitchedPrecision, parse_precision

_BLOCK_SECONDS = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes
    ----------
    precision : Precision, MixedPrecision or SwitchedPrecision
    step, steps : int
        Steps taken, and the most there will be.
    loss, log2_loss, sharpness : float or None
        The last recorded values.
    threshold : float
        The stability threshold at this step, 2/η; infinite for a flow.
    formula : str
        In words.
    """

    precision: RunPrecision
    step: int
    steps: int
    loss: float | None
    log2_loss: float | None
    sharpness: float | None
    threshold: float
    formula: str = "2/η"


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a run; what was computed until then is not lost.

    Attributes
    ----------
    run : Run
        The run as far as it came, outcome ``cancelled``.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        super().__init__("run interrupted")


class PreparedRun:
    """A run whose arguments have been checked and rounded; nothing has been computed.

    Parameters
    ----------
    plan : Plan
        What `prepare` made of the arguments.
    saves : Saves, optional
        Whether and where the run is saved on its way.

    Raises
    ------
    InvalidArgument
        If the run could not be saved or taken up there.
    """

    def __init__(self, plan: Plan | SwitchedPlan, saves: Saves | None = None) -> None:
        self.plan = plan
        self.saves = saves
        if saves is not None:
            saves.check(plan)

    @property
    def precision(self) -> RunPrecision:
        """The working format, one for each stage, or those that follow one another."""
        return self.plan.precision

    def estimate(self) -> tuple[float, int]:
        """Return the expected seconds (if no step is saved) and bytes of memory."""
        return self.plan.estimate()

    def run(
        self,
        stop: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Run:
        """Carry the run out in the calling thread.

        Parameters
        ----------
        stop : threading.Event, optional
            Setting it ends the run as ``cancelled`` within about 0.1 s, also within a step.
        progress : callable, optional
            Called about ten times a second.
        """
        engine = engine_for(self.plan)
        saver = Saver(engine, self.saves, self.plan)
        block = min(_BLOCK_SECONDS, saver.seconds)
        start = time.perf_counter()
        with _stopping(engine, stop):
            while engine.outcome == "running" and not (stop is not None and stop.is_set()):
                engine.advance(block)
                saver.save_if_due()
                if progress is not None:
                    progress(self._progress(engine))
        saver.save()
        ended = engine.outcome != "running"
        outcome = Outcome(engine.outcome) if ended else Outcome.CANCELLED
        return engine.gather(outcome, time.perf_counter() - start)

    def _progress(self, engine: Engine) -> Progress:
        loss, log2_loss, sharpness = engine.latest()
        plan, step = self.plan, engine.step
        of_steps = plan.stepping.switched(engine.event_step)
        return Progress(
            plan.precision,
            step,
            plan.steps,
            loss,
            log2_loss,
            sharpness,
            float(of_steps.threshold_at(step)),
            of_steps.formula,
        )


@contextmanager
def _stopping(engine: Engine, stop: threading.Event | None) -> Iterator[None]:
    """Pass a stop on to an engine that may be deep in one long step."""
    if stop is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            if stop.is_set():
                engine.stop()

    watcher = threading.Thread(target=watch, name="precipice-stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def prepare(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    precision: Any = "float64",
    steps: int,
    init: Initialiser,
    loss: str = "half_mean",
    order: str = "sequential",
    rounding_seed: int | None = None,
    rounding_run: int = 0,
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
) -> PreparedRun:
    """Check and round the arguments of `simulate`, whose errors it raises, without running."""
    if resume and checkpoint is None:
        raise InvalidArgument("resume", resume, "needs the checkpoint to go on from")
    working = parse_precision(precision)
    made_by: Any = make_switched_plan if isinstance(working, SwitchedPrecision) else make_plan
    plan = made_by(
        problem,
        model,
        optimizer,
        precision=working,
        steps=steps,
        init=init,
        loss=loss,
        order=order,
        rounding_seed=rounding_seed,
        rounding_run=rounding_run,
        coordinates=coordinates,
        problem_dtype=problem_dtype,
        record=Record(loss=1, sharpness=1) if record is None else record,
        measure_precision=measure_precision,
        blowup_factor=blowup_factor,
        tol=tol,
        max_seconds=max_seconds,
        engine=engine,
    )
    saves = None if checkpoint is None else Saves(checkpoint, checkpoint_seconds, resume)
    return PreparedRun(place(plan, device), saves)


def simulate(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    progress: Callable[[Progress], None] | None = None,
    **keywords: Any,
) -> Run:
    """Train a model on a problem at one precision.

    Parameters
    ----------
    problem : Problem
        Data (X, y) as exact numbers, shapes (N, d) and (N,).
    model : Minimalist or TwoLayerLinear
        What is trained.
    optimizer : GD, HeavyBall, Nesterov, SGD or GradientFlow
        How; learning rate and momentum are exact numbers, the rate may be a schedule
        (`precipice.lr`).
    precision : str, Precision, MixedPrecision, SwitchedPrecision or dtype, default "float64"
        Working format (`Precision.parse`): every operation of the run is rounded once to it, with
        the format's rounding. Or one for each stage of a step, such as
        ``"bfloat16/accumulate=float32"``; then the destination's stage says to which
        (`precipice.mixed.STAGES`); an order of its own may stand behind, as in
        ``"float32/order=kahan"``. Or formats that follow one another, such as
        ``"float32->mpfr256@sharpness>=2/lr"`` (`precipice.switch`).
    steps : int
        The most updates; steps 0 to `steps` are evaluated.
    init : Initialiser
        Where the parameters start (`precipice.init`).
    loss : {"half_mean", "mean", "half_sum", "sum"}
        ‖z‖²/(2N), ‖z‖²/N, ‖z‖²/2 or ‖z‖².
    order : {"sequential", "fused", "blocked", "pairwise", "kahan", "exact"}
        Order of every sum, unless the precision names one; the programs are stated in
        `precipice.arithmetic`. Sequential sums start from their first term and ascend, each product
        and each partial sum rounded.
    rounding_seed : int, optional
        Seed of stochastic rounding, needed there and only there.
    rounding_run : int, default 0
        Which of several runs with one seed: their draws have nothing in common.
    coordinates : {"primal", "spectral"}
        The parameters themselves are the working numbers; or σ, d and the first layer's parts o
        or W̃ along the data's singular vectors are, rounded to `problem_dtype` once
        (`precipice.spectral`).
    problem_dtype : str, Precision or dtype, default "float64"
        Format to which X, y, the start and η are rounded first, to nearest, so that runs at
        different precisions share one problem. ``"exact"`` leaves decimals and fractions as
        they are until the working format.
    record : Record
        Cadence of each series; default loss and sharpness at every step.
    measure_precision : str, Precision or dtype, default "float64"
        Format in which sharpness is computed; ``"working"`` for the run's own (that of its stage
        measurement). Any but float64 is measured with gmpy2, from exact parameters
        (`precipice.measuring`); the series then has exact texts too. The layer imbalance is
        float64.
    blowup_factor : float or None, default 1e6
        The run ends at the first step with a non-finite parameter, or with a loss above this
        factor times the larger of κ‖y‖² and the largest loss of steps 0 to 9 so far. ``inf``
        leaves only the first test; None switches both off.
    tol : float, optional
        Ends the run at the first step with L - κ‖y⊥‖² < `tol`.
    max_seconds : float, optional
        Ends the run after this time.
    engine : {"core", "reference"}
        The compiled core, or the slow gmpy2 text of the same program.
    device : {"cpu", "cuda", "auto"} or Device, default "cpu"
        The processor, an NVIDIA GPU, or the GPU if there is one that carries out such a run, else
        the processor, with a line on stderr (`precipice.devices`). The numbers are the same.
    checkpoint : str or Path, optional
        A folder in which the run's exact state is saved on its way and at its end.
    checkpoint_seconds : float, default 5
        Time between two saves.
    resume : bool, default False
        Go on from the checkpoint in that folder, if there is one: the result is that of an
        uninterrupted run, bit for bit.
    progress : callable, optional
        Called with a `Progress` about ten times a second, from another thread.

    Returns
    -------
    Run
        A run that blew up is a result.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule, or a format does not exist here.
    RunInterrupted
        On Ctrl-C; a KeyboardInterrupt that carries what was computed.

    Notes
    -----
    Operations and their order are those of the rounding contract (see the README); the result is
    the same bits on every machine. A step costs 2 N d multiply-adds.
    """
    prepared = prepare(problem, model, optimizer, **keywords)
    say_fallback([prepared.plan.device])
    # In a thread of its own, so that Ctrl-C is heard in the middle of a step.
    gathered = execute([prepared], progress=progress)
    (run,) = gathered.runs
    if gathered.interrupted:
        raise RunInterrupted(run)
    return run
