"""What the commands that compute a paper's figures share: options, progress, output."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from precipice.cli.options import parse_settings
from precipice.cli.progress import wanted
from precipice.errors import InvalidArgument

if TYPE_CHECKING:
    from precipice.reproduce.figures import FigureBuilder, ReproducedFigure

_Command = TypeVar("_Command", bound=Callable[..., Any])


def figure_options(names: Sequence[str]) -> Callable[[_Command], _Command]:
    """Return the decorator that gives a command the options of `show_figures`."""
    options = (
        click.argument("settings", nargs=-1, metavar="path=FILE"),
        click.option("--figures", default=",".join(names), help="Which, comma-separated."),
        click.option("--out", type=click.Path(path_type=Path), help="Folder for .png and .json."),
        click.option("--workers", type=int, help="Threads; default: one a core."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead."),
        click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors."),
    )

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def show_figures(builders: Mapping[str, FigureBuilder], flags: Mapping[str, Any]) -> None:
    """Compute the figures asked for; print each when it is done, and write it if asked.

    Raises
    ------
    InvalidArgument
        Before anything is computed if a flag breaks its rule.
    """
    path, chosen = images_path(flags["settings"]), _chosen(builders, flags["figures"])
    out: Path | None = flags["out"]
    if out is not None:
        _make(out)
    found = []
    for name in chosen:
        figure = _compute(builders[name], name, path, flags)
        found.append(figure.to_dict())
        if not flags["as_json"]:
            click.echo(figure.text())
        written = [] if out is None else figure.write(out)
        if written and not flags["quiet"]:
            click.echo(f"Wrote {' and '.join(map(str, written))}", err=True)
    if flags["as_json"]:
        document = {"figures": found}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def images_path(settings: Sequence[str]) -> str:
    """Return the one setting that a paper's tables and figures have."""
    given = parse_settings(settings)
    path = given.pop("path", None)
    for name, value in given.items():
        raise InvalidArgument(name, value, "is no setting of this command, which takes path")
    if path is None:
        raise InvalidArgument("path", "", "need path=FILE with CIFAR-10's images")
    return path


def _compute(
    build: FigureBuilder, name: str, path: str, flags: Mapping[str, Any]
) -> ReproducedFigure:
    """Compute one figure, with a bar on stderr where somebody sees it."""
    if not wanted(quiet=flags["quiet"], as_json=flags["as_json"]):
        return build(path, workers=flags["workers"])
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"figure {name}", total=None)
        return build(
            path,
            workers=flags["workers"],
            report=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _chosen(builders: Mapping[str, FigureBuilder], text: str) -> list[str]:
    """Return the figures' numbers in the order asked for, each once."""
    names = list(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in builders:
            raise InvalidArgument("figures", name, f"must be among {', '.join(builders)}")
    return names


def _make(out: Path) -> None:
    """Make the folder that figures are written to."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"must be a folder that can be made ({error.strerror})"
        raise InvalidArgument("out", str(out), rule) from None
