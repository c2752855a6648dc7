"""`precipice compare`: one training run at many precisions."""

from __future__ import annotations

from typing import Any

import click

from precipice.cli.numerics import FORMATS
from precipice.cli.options import training_options

_PRECISION = click.option(
    "--precision",
    metavar="NAMES",
    help=f"Formats, comma-separated: {FORMATS}; default: float32,float64 and mpfr113 … mpfr1024.",
)


@click.command("compare")
@training_options(workers=True, precision=_PRECISION)
def command(precision: str | None, **flags: Any) -> None:
    """Train one problem at many precisions and compare what happens.

    PROBLEM is fig6 (the default), opposing_signals, cifar10, gaussian, or a path to a .npz or .csv
    file; KEY=VALUE words are its settings, as in: cifar10 path=cifar-10-batches-bin n=100, or:
    gaussian n=500 labels=eigenvector:400 like=cifar-10-batches-bin like_n=5000. CIFAR-10's
    path is a folder of its official binary or python files, one such file (data_batch_1.bin,
    data_batch_1), or a .npz with the arrays images and labels; nothing in them is executed.
    """
    from precipice.cli.session import carry_out, print_comparison
    from precipice.formats import DEFAULT_PRECISIONS

    names = DEFAULT_PRECISIONS if precision is None else tuple(precision.split(","))
    carry_out(names, flags, show=print_comparison)
