"""`precipice plot`: redraw the figure of saved results."""

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
    """Redraw the figure of the comparison, ensemble or sweep saved in DIR."""
    from precipice.study.storage import load

    target = directory / "figure.png" if out is None else out
    load(directory).plot(target)
    click.echo(str(target))
