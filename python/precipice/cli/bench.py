"""`precipice bench`: precipice's speed beside its peers', on the same work in the same run."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precipice.cli.progress import wanted
from precipice.errors import InvalidArgument

if TYPE_CHECKING:
    from precipice.bench import Benchmark

_FILES = ("bench.json", "bench.png", "table.txt")
# What precipice.bench knows too; it imports NumPy, before which these have to be set.
_BLAS_THREADS = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@click.command("bench")
@click.option(
    "--shapes",
    default="2x100,300x3072,1000x3072",
    metavar="LIST",
    help="Data shapes, samples x features.",
)
@click.option(
    "--precision",
    default=None,
    metavar="LIST",
    help="Formats of 24 bits or more, comma-separated; default float32 to mpfr1024.",
)
@click.option(
    "--peers",
    default="plain-mpfr,precipice-mpfr,precipice-generic,blas,numpy,gmpy2,mpmath,flint",
    metavar="LIST",
    help="Who is timed beside precipice.",
)
@click.option(
    "--data",
    type=click.Choice(["float64", "full"]),
    default="float64",
    help="X holds float64 numbers, or numbers of all the bits of each mpfr<bits>.",
)
@click.option("--stages", is_flag=True, help="Time X u, Xᵀz and the update on their own too.")
@click.option("--rounds", type=int, help="Times each is timed; default 5, or 3 where slow.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Directory for {', '.join(_FILES)}.",
)
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def command(
    shapes: str,
    precision: str | None,
    peers: str,
    data: str,
    stages: bool,
    rounds: int | None,
    as_json: bool,
    out: Path | None,
    quiet: bool,
) -> None:
    """Time gradient-descent steps beside plain C MPFR, NumPy, gmpy2, mpmath and python-flint.

    Every answer is compared with precipice's before its time counts: bit for bit where the peer
    promises that, else within the bound on rounding. Without arguments some minutes on one core.
    """
    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(_BLAS_THREADS, "1"))
    if out is not None:
        _check(out)
    shown = wanted(quiet=quiet, as_json=as_json)
    chosen = {
        "shapes": _words(shapes),
        "precisions": None if precision is None else _words(precision),
        "peers": _words(peers),
        "rounds": rounds,
        "stages": stages,
        "data": data,
    }
    benchmark = _run(chosen, shown)
    if out is not None:
        _save(benchmark, out)
    if as_json:
        click.echo(json.dumps(benchmark.to_dict(), indent=2, ensure_ascii=False))
    else:
        _print(benchmark)
    if out is not None and not as_json and not quiet:
        click.echo(f"Saved in {out}: {', '.join(_FILES)}.", err=True)


def _words(text: str) -> list[str]:
    """Return comma-separated words."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _run(chosen: dict[str, Any], shown: bool) -> Benchmark:
    """Measure, with a bar on stderr where somebody sees it."""
    from precipice.bench import run_benchmark

    if not shown:
        return run_benchmark(**chosen)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        return run_benchmark(**chosen, progress=progress)


def _print(benchmark: Benchmark) -> None:
    """Print the table: colours on a terminal, plain text elsewhere."""
    from precipice.bench import report

    if not sys.stdout.isatty():
        click.echo(report.as_text(benchmark), nl=False)
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(report.rich_table(benchmark))
    console.print()
    for line in report.caption(benchmark):
        console.print(line, style="dim", markup=False)


def _check(out: Path) -> None:
    """Refuse a place that holds something else, before anything is measured."""
    if out.exists() and not out.is_dir():
        raise InvalidArgument("out", str(out), "must be a directory")
    held = [path.name for path in out.iterdir()] if out.exists() else []
    others = [name for name in held if name not in _FILES]
    if others:
        rule = f"must be empty or hold an earlier benchmark; it holds {others[0]}"
        raise InvalidArgument("out", str(out), rule)
    out.mkdir(parents=True, exist_ok=True)


def _save(benchmark: Benchmark, out: Path) -> None:
    """Write the three files."""
    from precipice.bench import report

    document = json.dumps(benchmark.to_dict(), indent=2, ensure_ascii=False)
    (out / "bench.json").write_text(document + "\n", encoding="utf-8")
    (out / "table.txt").write_text(report.as_text(benchmark), encoding="utf-8")
    report.figure(benchmark).savefig(out / "bench.png", facecolor="white")
