"""`precipice reproduce`: the papers' numbers, computed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from precipice.cli.figures import figure_options, images_path, show_figures
from precipice.cli.progress import wanted
from precipice.errors import InvalidArgument

if TYPE_CHECKING:
    from precipice.reproduce.entries import Tables


@click.group("reproduce")
def command() -> None:
    """Compute what a paper prints, and say how far apart the two are."""


@command.group("yoo2025")
def yoo2025() -> None:
    """Yoo, Song and Yun 2025: sharpness dynamics with a minimalist example."""


@yoo2025.command("tables")
@click.argument("settings", nargs=-1, metavar="path=FILE")
@click.option("--subsets", type=int, default=50, help="Random subsets of each size.")
@click.option("--sizes", default="100,300,500,1000", help="Numbers of images, comma-separated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def tables(settings: tuple[str, ...], subsets: int, sizes: str, as_json: bool, quiet: bool) -> None:
    """Tables 1-4 and 11-15 for CIFAR-10's cats and dogs.

    FILE holds CIFAR-10's training images, as for 'precipice compare cifar10 path=FILE'.
    """
    found = _compute(
        images_path(settings), subsets, _sizes(sizes), wanted(quiet=quiet, as_json=as_json)
    )
    click.echo(found.to_json() if as_json else found.text(), nl=as_json)


@yoo2025.command("figures")
@figure_options(("4-9",))
def yoo2025_figures(**flags: Any) -> None:
    """Figures 4 and 9 in the small: batch size and step size order sharpening and imbalance.

    FILE holds CIFAR-10's cats and dogs. About ten minutes on one core.
    """
    from precipice.reproduce.yoo2025_figures import FIGURES

    show_figures(FIGURES, flags)


@command.group("wang2022")
def wang2022() -> None:
    """Wang, Li and Li 2022: sharpness along gradient descent, two-layer linear networks."""


@wang2022.command("figures")
@figure_options(("1-3", "12", "20"))
def wang2022_figures(**flags: Any) -> None:
    """Figures 1-3, 12 and 20 in the small: four phases, label directions, the norm of Γ.

    FILE holds CIFAR-10's airplanes and automobiles. About a quarter of an hour on two cores.
    """
    from precipice.reproduce.wang2022 import FIGURES

    show_figures(FIGURES, flags)


def _compute(path: str, subsets: int, sizes: Sequence[int], shown: bool) -> Tables:
    """Compute the tables, with a bar on stderr where somebody sees it."""
    from precipice.reproduce import yoo2025

    if not shown:
        return yoo2025.tables(path, subsets=subsets, sizes=sizes)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("subsets", total=None)
        return yoo2025.tables(
            path,
            subsets=subsets,
            sizes=sizes,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _sizes(text: str) -> list[int]:
    """Return comma-separated integers."""
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise InvalidArgument("sizes", text, "must be integers, comma-separated") from None
