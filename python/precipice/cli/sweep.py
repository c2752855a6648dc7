"""`precipice sweep`: an ensemble for each precision and step size."""

from __future__ import annotations

from typing import Any

import click

from precipice.cli.many import ensemble_options
from precipice.cli.numerics import FORMATS

_PRECISION = click.option(
    "--precision",
    metavar="NAMES",
    default="float32,float64,mpfr113,mpfr128,mpfr256",
    help=f"Formats, comma-separated: {FORMATS}.",
)


@click.command("sweep")
@ensemble_options(precision=_PRECISION)
def command(precision: str, **flags: Any) -> None:
    """Train an ensemble at each of several precisions with each of several step sizes.

    --lrs names the step sizes; without it there is one, --lr or the problem's. PROBLEM and
    KEY=VALUE are as for 'precipice compare', the members of a cell as for 'precipice ensemble'.
    """
    from precipice.cli.many import asked, carry_out, print_result
    from precipice.cli.many_progress import SweepDisplay
    from precipice.study import sweep_storage, sweep_table
    from precipice.study.sweep import prepare_sweep

    found = asked(flags)
    lrs = found.keywords.pop("lrs") or [getattr(found.optimizer, "lr", None)]
    prepared = prepare_sweep(
        found.problem,
        found.model,
        lrs=lrs,
        precisions=precision.split(","),
        optimizer=found.optimizer,
        **found.keywords,
    )
    carry_out(
        prepared,
        flags,
        display=SweepDisplay(),
        show=lambda result: print_result(result, sweep_table),
        storage=sweep_storage,
        finished=sweep_storage.holds_finished_sweep,
    )
