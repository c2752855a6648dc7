"""`precipice ensemble`: many runs of one problem at one precision."""

from __future__ import annotations

from typing import Any

import click

from precipice.cli.many import ensemble_options
from precipice.cli.numerics import FORMATS

_PRECISION = click.option(
    "--precision", metavar="NAME", default="float64", help=f"Format: {FORMATS}."
)


@click.command("ensemble")
@ensemble_options(precision=_PRECISION)
def command(precision: str, **flags: Any) -> None:
    """Train one problem many times and say in shares what happens.

    The members are all step sizes with all seeds with all perturbations; with stochastic rounding
    each has draws of its own. PROBLEM and KEY=VALUE are as for 'precipice compare'.
    """
    from precipice.cli.many import asked, carry_out, print_result
    from precipice.cli.many_progress import EnsembleDisplay
    from precipice.study import ensemble_storage, ensemble_table
    from precipice.study.ensemble import prepare_ensemble

    found = asked(flags)
    prepared = prepare_ensemble(
        found.problem, found.model, found.optimizer, precision=precision, **found.keywords
    )
    carry_out(
        prepared,
        flags,
        display=EnsembleDisplay(),
        show=lambda result: print_result(result, ensemble_table),
        storage=ensemble_storage,
        finished=ensemble_storage.holds_finished_ensemble,
    )
