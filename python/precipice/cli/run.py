"""`precipice run`: one training run at one precision."""

from __future__ import annotations

from typing import Any

import click

from precipice.cli.numerics import FORMATS
from precipice.cli.options import training_options

_PRECISION = click.option(
    "--precision",
    metavar="NAME",
    default="float64",
    show_default=True,
    help=f"Format: {FORMATS}.",
)


@click.command("run")
@training_options(workers=False, precision=_PRECISION)
def command(precision: str, **flags: Any) -> None:
    """Train one problem at one precision and say what happened.

    PROBLEM and KEY=VALUE are as for 'precipice compare'.
    """
    from precipice.cli.session import carry_out, print_run

    carry_out((precision,), {**flags, "workers": 1}, show=print_run)
