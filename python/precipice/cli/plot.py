"""`precipice plot`: redraw the figure of a saved comparison."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("plot")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Figure to write; its suffix is the format (png, pdf, svg). Default: DIR/figure.png.",
)
def command(directory: Path, out: Path | None) -> None:
    """Redraw the figure of the comparison saved in DIR."""
    from precipice.plots import comparison_figure, write_figure
    from precipice.study.storage import load

    target = directory / "figure.png" if out is None else out
    write_figure(comparison_figure(load(directory)), target)
    click.echo(str(target))
