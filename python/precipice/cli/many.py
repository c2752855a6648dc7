"""The flags of commands that carry out many runs, and what such a command does with them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from precipice.cli.numerics import DEVICE, ENDS, FORMAT
from precipice.cli.options import OUTPUT, TRAINING, Request, checkpoint_folder, request
from precipice.cli.progress import wanted
from precipice.cli.session import INTERRUPTED, interrupts_noted, worth_saying
from precipice.errors import InvalidArgument

_LARGEST_RANGE = 2**20
_MOST_DIGITS = 20  # of a seed, which is below 2^64

_MEMBERS = (
    click.option(
        "--lrs", metavar="LIST", help="Step sizes, comma-separated and exact, in place of --lr."
    ),
    click.option(
        "--seeds",
        metavar="LIST",
        help="Seeds of the start, such as 0,3,7 or 0-49, in place of --seed.",
    ),
    click.option(
        "--perturbations",
        type=int,
        default=1,
        help="Starts that differ in their last bits alone, the given one among them.",
    ),
    click.option("--perturbation-seed", type=int, default=0, help="Seed of what they differ by."),
    click.option(
        "--perturbation-bits",
        type=int,
        help="Count the last place at so many bits; default: the format's.",
    ),
    click.option(
        "--window",
        type=int,
        default=100,
        help="Record least, greatest and last loss of every so many steps; 0: none.",
    ),
    click.option(
        "--record-every",
        type=int,
        default=1,
        help="Record the sharpness every N steps (1 finds crossings and drops; 0: none).",
    ),
    click.option(
        "--record-loss", type=int, default=0, help="Record the loss every N steps; 0: none."
    ),
)


def ensemble_options(*, precision: Any) -> Callable[[Any], Any]:
    """Return a decorator that adds what commands of many runs understand.

    Parameters
    ----------
    precision : click option
        The command's own ``--precision``.
    """
    workers = click.option("--workers", type=int, help="Threads; default: one a core.")
    options = [*TRAINING, precision, *_MEMBERS, *FORMAT, *ENDS, DEVICE, workers, *OUTPUT]

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def asked(flags: Mapping[str, Any]) -> Request:
    """Return what the flags ask for, with the keywords of `precipice.ensemble`.

    Raises
    ------
    InvalidArgument
        If a flag breaks its rule, or two contradict each other.
    """
    from precipice.record import Record

    lrs = None if flags["lrs"] is None else _listed(flags["lrs"])
    if lrs is not None and flags["lr"] is not None:
        raise InvalidArgument("lrs", flags["lrs"], "must not stand beside --lr")
    single = {
        "record_every": 1, "record_eigenvalues": None, "record_quantities": None, "top": None,
        "measure_precision": "float64", "max_seconds": None, "engine": "core",
    }  # fmt: skip
    first = {"lr": lrs[0]} if lrs else {}
    found = request(flags["problem"], flags["settings"], {**flags, **single, **first})
    keywords = {k: v for k, v in found.keywords.items() if k not in single}
    keywords["record"] = Record(
        loss=flags["record_loss"], sharpness=flags["record_every"], window=flags["window"]
    )
    keywords["seeds"] = None if flags["seeds"] is None else _numbers("seeds", flags["seeds"])
    keywords["lrs"] = lrs
    for name in ("perturbations", "perturbation_seed", "perturbation_bits"):
        keywords[name] = flags[name]
    return replace(found, keywords=keywords)


def carry_out(
    prepared: Any,
    flags: Mapping[str, Any],
    *,
    display: Any,
    show: Callable[[Any], None],
    storage: Any,
    finished: Callable[[Path], bool],
) -> None:
    """Run what was prepared, print and save it; after Ctrl-C keep what was computed.

    Parameters
    ----------
    prepared : PreparedEnsemble or PreparedSweep
    flags : mapping
    display : context manager
        Takes the progress.
    show : callable
        Prints the result for a reader.
    storage : module
        With `check_destination` and `FILES`.
    finished : callable
        Whether a directory holds finished results.

    Raises
    ------
    InvalidArgument
        Before anything is computed or written.
    """
    from precipice.devices import say_fallback
    from precipice.study.ensemble import EnsembleInterrupted
    from precipice.study.sweep import SweepInterrupted

    out: Path | None = flags["out"]
    if not flags["quiet"]:
        say_fallback(prepared.devices)
    if out is not None:
        storage.check_destination(out, prepared.header)
    shown = wanted(quiet=flags["quiet"], as_json=flags["as_json"])
    seconds, memory = prepared.estimate(flags["workers"])
    estimate = worth_saying(seconds, memory, flags["workers"])
    on_processor = all(device.table is None for device in prepared.devices)
    if shown and estimate and on_processor:
        click.echo(estimate, err=True)
    with interrupts_noted() as stop:
        try:
            with display if shown else nullcontext():
                result = prepared.run(
                    workers=flags["workers"], progress=display if shown else None, stop=stop
                )
            interrupted = stop.is_set()
        except EnsembleInterrupted as stopped:
            result, interrupted = stopped.ensemble, True
        except SweepInterrupted as stopped:
            result, interrupted = stopped.sweep, True
        _finish(result, flags, show, storage.FILES, finished, interrupted)


def _finish(
    result: Any,
    flags: Mapping[str, Any],
    show: Callable[[Any], None],
    files: frozenset[str],
    finished: Callable[[Path], bool],
    interrupted: bool,
) -> None:
    """Print what there is, then save it: neither costs the other if it fails."""
    out: Path | None = flags["out"]
    kept, failure = "", None
    try:
        if flags["as_json"]:
            document = result.to_dict()
            click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
        else:
            show(result)
    finally:
        if out is not None:
            try:
                kept = _keep(result, out, files, finished, interrupted)
            except InvalidArgument as error:
                failure = error
    saved_on_the_way = bool(flags["checkpoint"] or flags["resume"])
    if saved_on_the_way and out is not None and not (interrupted or failure):
        shutil.rmtree(checkpoint_folder(out), ignore_errors=True)  # the results hold it all
    if interrupted:
        kept = f"Not saved: {failure}" if failure else kept or "Not saved (no --out was given)."
        if saved_on_the_way:
            kept = f"{kept} The same command with --resume goes on from there."
        click.echo(f"Interrupted. {kept}", err=True)
        raise click.exceptions.Exit(INTERRUPTED)
    if failure:
        raise failure
    if kept and not flags["as_json"] and not flags["quiet"]:
        click.echo(kept, err=True)


def _keep(
    result: Any,
    out: Path,
    files: frozenset[str],
    finished: Callable[[Path], bool],
    interrupted: bool,
) -> str:
    """Save results and say so; unfinished ones never replace finished ones."""
    if interrupted and finished(out):
        return f"{out} keeps the finished results it held."
    try:
        result.save(out)
    except OSError as error:
        rule = f"could not be written ({error.strerror or error})"
        raise InvalidArgument("out", str(out), rule) from None
    return f"Saved in {out}: {', '.join(sorted(files))}."


def print_result(result: Any, table: Any) -> None:
    """Print a table and its definitions: colours on a terminal, plain text elsewhere.

    Parameters
    ----------
    result : Ensemble or Sweep
    table : module
        With `rich_table` and `caption`.
    """
    if not sys.stdout.isatty():
        click.echo(result.table(), nl=False)
        return
    from rich.console import Console

    from precipice.study.table import WIDTH

    console = Console(highlight=False)
    console.print(table.rich_table(result))
    console.print()
    for line in table.caption(result, min(console.width, WIDTH)):
        console.print(line, style="dim", markup=False)


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _numbers(argument: str, text: str) -> list[int]:
    """Return the numbers of a list such as ``0,3,10-19``.

    Raises
    ------
    InvalidArgument
        If a word is neither a number nor a range.
    """
    numbers: list[int] = []
    for word in _listed(text):
        first, dash, last = word.partition("-")
        known = all(part.isdecimal() and len(part) <= _MOST_DIGITS for part in (first, last or "0"))
        if not known or (dash and not last):
            raise InvalidArgument(argument, text, "must be numbers and ranges, such as 0,3,10-19")
        begin, end = int(first), int(last or first)
        if end < begin or end - begin >= _LARGEST_RANGE:
            raise InvalidArgument(argument, text, "must have ranges that ascend, of at most 2^20")
        numbers += range(begin, end + 1)
    return numbers
