"""From flags to a finished comparison on the screen and on disk."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precipice.cli.options import checkpoint_folder, request
from precipice.cli.progress import ProgressDisplay, wanted
from precipice.errors import InvalidArgument

if TYPE_CHECKING:
    from precipice.results import Run
    from precipice.study.comparison import Comparison, PreparedComparison

# An estimate is worth a line when there is time to read it.
_WORTH_SAYING_SECONDS = 10.0
INTERRUPTED = 130


def carry_out(
    names: Sequence[str], flags: Mapping[str, Any], *, show: Callable[[Comparison], None]
) -> None:
    """Check everything, run, print and save; after Ctrl-C keep what was computed.

    Parameters
    ----------
    names : sequence of str
        The precisions.
    flags : mapping
        The values of `training_options`.
    show : callable
        Prints a comparison for a reader.

    Raises
    ------
    InvalidArgument
        Before anything is computed or written.
    """
    from precipice.devices import say_fallback
    from precipice.study.comparison import ComparisonInterrupted, prepare_comparison
    from precipice.study.storage import check_destination

    asked = request(flags["problem"], flags["settings"], flags)
    prepared = prepare_comparison(
        asked.problem, asked.model, asked.optimizer, precisions=names, **asked.keywords
    )
    if not flags["quiet"]:
        say_fallback(prepared.devices)
    if flags["out"] is not None:
        check_destination(flags["out"], prepared.header)
    with interrupts_noted() as stop:
        try:
            comparison, interrupted = _run(prepared, flags, stop), False
        except ComparisonInterrupted as stopped:
            comparison, interrupted = stopped.comparison, True
        # Ctrl-C just before the runs has stopped them too.
        cut = any(run.outcome.value == "cancelled" for run in comparison.runs)
        _finish(comparison, flags, show=show, interrupted=interrupted or cut)


def _finish(
    comparison: Comparison,
    flags: Mapping[str, Any],
    *,
    show: Callable[[Comparison], None],
    interrupted: bool,
) -> None:
    """Print what there is, then save it: neither costs the other if it fails."""
    out: Path | None = flags["out"]
    kept: str | None = None
    failure: InvalidArgument | None = None
    try:
        if flags["as_json"]:
            document = comparison.to_dict()
            click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
        else:
            show(comparison)
    finally:
        if out is not None:
            try:
                kept = _keep(comparison, out, interrupted=interrupted)
            except InvalidArgument as error:
                failure = error
    saved_on_the_way = bool(flags["checkpoint"] or flags["resume"])
    if saved_on_the_way and out is not None and not (interrupted or failure):
        shutil.rmtree(checkpoint_folder(out), ignore_errors=True)  # the results hold it all
    if interrupted:
        kept = f"Not saved: {failure}" if failure else kept
        if saved_on_the_way:
            kept = f"{kept} The same command with --resume goes on from there."
        click.echo(_what_was_kept(comparison, kept), err=True)
        raise click.exceptions.Exit(INTERRUPTED)
    if failure:
        raise failure
    if kept and not flags["as_json"] and not flags["quiet"]:
        click.echo(kept, err=True)


def print_comparison(comparison: Comparison) -> None:
    """Print the table and its definitions: colours on a terminal, plain text elsewhere."""
    if not sys.stdout.isatty():
        click.echo(comparison.table(), nl=False)
        return
    from rich.console import Console

    from precipice.study.table import WIDTH, caption, rich_table

    console = Console(highlight=False)
    console.print(rich_table(comparison, console.width))
    console.print()
    for line in caption(comparison, min(console.width, WIDTH)):
        console.print(line, style="dim", markup=False)


def print_run(comparison: Comparison) -> None:
    """Print what became of a single run: its outcome, its events and its final values."""
    from precipice.study.table import caption

    (run,) = comparison.runs
    click.echo(f"{run.precision}: {run.outcome.value} after {run.steps} steps "
               f"({run.seconds:.2g} s): {run.outcome.sentence}")  # fmt: skip
    for line in event_lines(run):
        click.echo(line)
    click.echo(_final_line(run))
    for line in curvature_lines(run):
        click.echo(line)
    click.echo()
    for line in caption(comparison):
        click.echo(line)


def _run(
    prepared: PreparedComparison, flags: Mapping[str, Any], stop: threading.Event
) -> Comparison:
    """Run with an estimate and live progress where somebody sees them."""
    shown = wanted(quiet=flags["quiet"], as_json=flags["as_json"])
    estimate = prepared.estimate(flags["workers"])
    line = worth_saying(estimate.seconds, estimate.bytes, estimate.workers)
    if shown and line:
        click.echo(line, err=True)
    names = [str(one.precision) for one in prepared.prepared]
    display = ProgressDisplay(names, prepared.header.settings["steps"]) if shown else None
    with display or nullcontext():
        return prepared.run(workers=flags["workers"], progress=display, stop=stop)


def _keep(comparison: Comparison, out: Path, *, interrupted: bool) -> str:
    """Save a comparison and say so; an unfinished one never replaces a finished one."""
    from precipice.study.storage import holds_finished_comparison

    if interrupted and holds_finished_comparison(out):
        return f"{out} keeps the finished comparison it held."
    try:
        comparison.save(out)
    except OSError as error:
        rule = f"could not be written ({error.strerror or error})"
        raise InvalidArgument("out", str(out), rule) from None
    return f"Saved in {out}: comparison.json, series.npz, figure.png, table.txt, table.csv."


def _what_was_kept(comparison: Comparison, kept: str | None) -> str:
    """Return the line that ends an interrupted command."""
    reached = ", ".join(f"{run.precision} {run.steps}" for run in comparison.runs)
    return f"Interrupted; steps computed: {reached}. {kept or 'Not saved (no --out was given).'}"


def worth_saying(seconds: float, memory: int, workers: int | None) -> str:
    """Return an estimate in words; nothing if there would be no time to read it.

    Parameters
    ----------
    seconds : float
    memory : int
        In bytes.
    workers : int or None
        Threads; None for one a core.
    """
    from precipice.executor import checked_workers

    if seconds <= _WORTH_SAYING_SECONDS:
        return ""
    count = checked_workers(workers)
    threads = "1 thread" if count == 1 else f"{count} threads"
    size = f"{max(1.0, memory / 2**20):,.0f} MiB of memory"
    return f"About {_duration(seconds)} on {threads}, {size}."


def _duration(seconds: float) -> str:
    """Return a time in its two largest units."""
    left = max(1, round(seconds))
    parts: list[str] = []
    for name, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


@contextmanager
def interrupts_noted() -> Iterator[threading.Event]:
    """Let Ctrl-C set the event given instead of raising KeyboardInterrupt.

    An exception could fall between the end of the last run and the end of saving, and take with
    it everything computed. Python lets only the main thread say so.
    """
    heard = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield heard
        return
    signal.signal(signal.SIGINT, lambda number, frame: heard.set())
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)


def event_lines(run: Run) -> list[str]:
    """Return one line a switch of the format, one an excursion, and one for the blow-up."""
    from precipice.study.table import switch_lines

    events, digits, formula = run.events(), run.digits, run.threshold_formula
    lines = []
    from_start = bool(events.catapults) and events.catapults[0].crossing == 0
    if events.started_above and not from_start:
        lines.append(f"starts above {formula} = {events.threshold:.4g}, outside every excursion")
    for number, found in enumerate(events.catapults, start=1):
        above = " (from the start)" if found.crossing == 0 else ""
        threshold = float(run.threshold_at(found.crossing))
        drop = (
            "does not drop below it again"
            if found.drop_step is None
            else f"drops below it at step {found.drop_step} (delay {found.delay})"
        )
        lines.append(
            f"excursion {number} ({found.kind}): crosses {formula} = {threshold:.4g} at step "
            f"{found.crossing}{above}, peaks at S̄ = "
            f"{digits.text(found.peak_sharpness, found.peak_step, 4)} at step {found.peak_step} "
            f"(overshoot {digits.overshoot_text(found, 3)}), {drop}"
        )
    if events.blowup is not None:
        lines.append(
            f"blow-up: step {events.blowup.step}, loss {events.blowup.loss:.4g}, "
            f"sharpness {digits.text(events.blowup.sharpness, events.blowup.step, 4)}"
        )
    if not events.measured:
        lines.append("sharpness not recorded: excursions are not known")
    if not lines:
        lines.append(
            f"no excursion above {formula}" if formula else "a flow: no threshold to cross"
        )
    if run.event_step is not None:
        lines.insert(0, f"schedule: its event came at step {run.event_step}")
    return [f"format: {line}" for line in switch_lines(run)] + lines


def curvature_lines(run: Run) -> list[str]:
    """Return the last recorded eigenvalues and quantities, a line each."""
    lines = []
    if run.eigenvalues is not None and run.eigenvalues.step.size:
        *largest, smallest = run.eigenvalues.texts(-1)
        lines.append(f"eigenvalues at step {run.eigenvalues.step[-1]}: {', '.join(largest)}; "
                     f"smallest {smallest}")  # fmt: skip
    if run.quantities is not None and run.quantities.step.size:
        texts = [f"{name} {text}" for name, text in run.quantities.texts(-1).items()]
        lines.append(f"quantities at step {run.quantities.step[-1]}: {', '.join(texts)}")
    return lines


def _final_line(run: Run) -> str:
    """Return the last recorded values."""
    from precipice.study.table import final_loss

    sharpness = run.digits.last_text(6) or "not recorded"
    return f"final: loss {final_loss(run) or 'not recorded'}, sharpness {sharpness}"
