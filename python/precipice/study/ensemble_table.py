"""An ensemble as a table: shares of outcomes and spreads of steps, a row a step size."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from precipice.study.shares import Share
from precipice.study.table import (
    WIDTH,
    model_text,
    optimizer_text,
    order_text,
    start_text,
    threshold_formula,
    wrapped,
)

if TYPE_CHECKING:
    from rich.table import Table

    from precipice.study.ensemble_records import EnsembleWindows
    from precipice.study.ensemble_results import Ensemble

QUANTITIES = ("crossing", "drop", "blowup_step")


@dataclass(frozen=True)
class Spread:
    """Of the members that have a step: least, lower quartile, median, upper quartile, greatest."""

    count: int
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, steps: npt.NDArray[np.int64]) -> Spread:
        """Return the spread of steps, of which -1 stands for none."""
        had = steps[steps >= 0]
        levels = (0, 25, 50, 75, 100)
        return cls(had.size, tuple(map(float, np.percentile(had, levels))) if had.size else ())

    @property
    def median(self) -> float | None:
        """The middle step; None if no member has one."""
        return self.quantiles[2] if self.quantiles else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        names = ("least", "lower_quartile", "median", "upper_quartile", "greatest")
        values = self.quantiles or (None,) * len(names)
        return {"count": self.count, **dict(zip(names, values, strict=True))}

    def __str__(self) -> str:
        if not self.quantiles:
            return "–"
        least, _, median, _, greatest = self.quantiles
        return f"{median:g}" if least == greatest else f"{median:g} [{least:g}, {greatest:g}]"


@dataclass(frozen=True)
class Group:
    """The members with one step size.

    Attributes
    ----------
    lr : str
    fractions : dict of str to Share
    spreads : dict of str to Spread
        Of `QUANTITIES`.
    """

    lr: str
    fractions: dict[str, Share]
    spreads: dict[str, Spread]

    def to_dict(self) -> dict[str, Any]:
        """Return the group as JSON-able data."""
        return {
            "lr": self.lr,
            "fractions": {name: share.to_dict() for name, share in self.fractions.items()},
            **{name: spread.to_dict() for name, spread in self.spreads.items()},
        }


def groups(ensemble: Ensemble) -> list[Group]:
    """Return the members of each step size, in the order of the step sizes."""
    own = ensemble.members.lr_index(np.arange(ensemble.size))
    found = []
    for i, lr in enumerate(ensemble.members.lrs):
        of_lr = own == i
        spreads = {name: Spread.of(getattr(ensemble, name)[of_lr]) for name in QUANTITIES}
        found.append(Group(lr, ensemble.fractions(of_lr), spreads))
    return found


def rows(ensemble: Ensemble) -> list[dict[str, Any]]:
    """Return a row a member: who it is, how it ended, and its events; None for what was not."""
    columns = dict(ensemble.members.columns)
    columns["outcome"] = ensemble.outcomes.tolist()
    columns["steps"] = ensemble.steps.tolist()
    for name in ("blowup_step", "crossing", "drop"):
        columns[name] = [step if step >= 0 else None for step in getattr(ensemble, name).tolist()]
    if ensemble.windows is not None:
        columns["greatest_loss"] = _greatest(ensemble.windows)
    for name in ("loss", "sharpness"):
        series = getattr(ensemble, name)
        if series is not None:
            columns[f"last_{name}"] = series.last.tolist()
    columns["parameters_sha256"] = list(ensemble.parameters_sha256)
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _greatest(windows: EnsembleWindows) -> list[float | None]:
    """Return the greatest loss of each member, NaN counting as such; None if it has no window."""
    had = windows.last_step >= 0
    greatest = np.where(had, windows.greatest, -np.inf).max(axis=1)
    return [float(x) if own.any() else None for x, own in zip(greatest, had, strict=True)]


def rich_table(ensemble: Ensemble) -> Table:
    """Return the shares and spreads as a rich table, a line an outcome."""
    table = headed(
        [("lr", False), ("outcome", False), ("members", True), ("share", True), ("95 %", True),
         ("crossing", True), ("drop", True), ("blow-up", True)],
        gap=1,
    )  # fmt: skip
    for group in groups(ensemble):
        spreads = [str(group.spreads[name]) for name in QUANTITIES]
        lr = group.lr
        for outcome, share in group.fractions.items():
            low, high = share.interval
            counts = (f"{share.count}/{share.of}", f"{share.value:.2f}", f"{low:.2f}–{high:.2f}")
            table.add_row(lr, outcome, *counts, *spreads)
            lr, spreads = "", ["", "", ""]
    return table


def caption(ensemble: Ensemble, width: int = WIDTH) -> list[str]:
    """Return the definitions that belong to the numbers, in lines of at most `width` columns."""
    settings = ensemble.settings
    lines = [
        *asked_lines(ensemble, ensemble.members.lrs),
        f"{ensemble.precision} · {members_text(settings)} · "
        f"{ensemble.distinct} different ends (exact parameters) · "
        f"carried out on {settings.get('device', 'nothing yet')}",
        "members and share: of those with this step size; 95 %: Wilson's interval",
        excursion_text(settings),
    ]
    return [piece for line in lines for piece in wrapped(line, width)]


def excursion_text(settings: dict[str, Any]) -> str:
    """Return what the columns of steps are."""
    if settings["record"]["sharpness"] != 1:
        return (
            "crossing, drop: not known, since the sharpness was not recorded at every step; "
            "blow-up: median [least, greatest] over the members that did"
        )
    return (
        "crossing, drop: first excursion of S̄_t = (S_t + S_{t+1})/2 above the threshold; "
        "steps: median [least, greatest] over the members that have one"
    )


def asked_lines(ensemble: Ensemble, lrs: Sequence[str]) -> list[str]:
    """Return problem, model, optimiser and the definitions of loss and order."""
    problem, settings = ensemble.problem, ensemble.settings
    return [
        f"{problem['name']} ({problem['samples']} samples, {problem['features']} features, "
        f"sha256 {problem['sha256'][:12]}) · {model_text(ensemble)} · "
        f"{optimizer_text(ensemble).replace(f'η = {lrs[0]}', f'η = {chr(44).join(lrs)}')} · "
        f"threshold {threshold_formula(ensemble)} · init {start_text(settings['init'])} · "
        f"up to {settings['steps']} steps",
        f"loss {settings['loss']} = {settings['loss_definition']} · {order_text(settings)} · "
        f"coordinates {settings['coordinates']} · problem_dtype {settings['problem_dtype']}",
    ]


def headed(columns: Sequence[tuple[str, bool]], gap: int = 0) -> Table:
    """Return an empty rich table with headings, each flush right or not."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap))
    for heading, right in columns:
        # Numbers stay whole; where there is no room for a name it goes on in the next line.
        table.add_column(
            heading, justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    return table


def members_text(settings: dict[str, Any]) -> str:
    """Return who the members are, in words."""
    words = [f"{settings['members']} members: {_counted(len(settings['lrs']), 'step size')}"]
    if settings["seeds"] is not None:
        words.append(_counted(len(settings["seeds"]), "seed"))
    if settings["perturbations"] > 1:
        at = settings["perturbation_bits"]
        place = "in the last place" if at is None else f"in the last of {at} places"
        words.append(
            f"{settings['perturbations']} starts moved by up to a unit {place} "
            f"(perturbation seed {settings['perturbation_seed']})"
        )
    if "rounding_seed" in settings:
        words.append(f"draws of its own each (rounding seed {settings['rounding_seed']})")
    return " × ".join(words)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def as_text(ensemble: Ensemble) -> str:
    """Return table and definitions as plain text of at most 100 columns."""
    return plain_text(rich_table(ensemble), caption(ensemble))


def plain_text(table: Table, lines: Sequence[str]) -> str:
    """Return a table and lines below it as plain text."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, color_system=None, force_terminal=False)
    console.print(table)
    shown = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join([*shown, "", *lines]) + "\n"


def as_csv(entries: Sequence[dict[str, Any]]) -> str:
    """Return rows as comma-separated values, numbers in full, empty where there is none."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(entries[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    return stream.getvalue()
