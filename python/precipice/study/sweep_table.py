"""A sweep as a table: what became of the ensemble of each precision and step size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precipice.study.comparison import finite_or_none
from precipice.study.ensemble_table import (
    Group,
    asked_lines,
    excursion_text,
    groups,
    headed,
    members_text,
    plain_text,
)
from precipice.study.table import WIDTH, wrapped

if TYPE_CHECKING:
    from rich.table import Table

    from precipice.study.ensemble_results import Ensemble
    from precipice.study.sweep import Sweep


def group_of(ensemble: Ensemble) -> Group:
    """Return shares and spreads of a cell, whose members have one step size."""
    (group,) = groups(ensemble)
    return group


def cell_entries(sweep: Sweep) -> list[dict[str, Any]]:
    """Return a JSON-able entry a cell: precision, step size, shares, spreads, settings."""
    entries = []
    for precision, row in zip(sweep.precisions, sweep.cells, strict=True):
        for ensemble in row:
            own = {"precision": precision, **group_of(ensemble).to_dict()}
            own |= {"optimizer": ensemble.optimizer, "settings": ensemble.settings}
            entries.append(finite_or_none({**own, "seconds": ensemble.seconds}))
    return entries


def rows(sweep: Sweep) -> list[dict[str, Any]]:
    """Return a flat row a cell, the same columns in each."""
    outcomes = sorted({name for each in sweep.ensembles for name in each.fractions()})
    flat = []
    for precision, row in zip(sweep.precisions, sweep.cells, strict=True):
        for ensemble in row:
            group = group_of(ensemble)
            entry: dict[str, Any] = {"precision": precision, "lr": group.lr}
            entry["members"] = ensemble.size
            entry["distinct"] = ensemble.distinct
            for name in outcomes:
                entry[name] = group.fractions[name].count if name in group.fractions else 0
            for name, spread in group.spreads.items():
                described = spread.to_dict()
                for column in ("count", "least", "median", "greatest"):
                    entry[f"{name}_{column}"] = described[column]
            flat.append(entry)
    return flat


def rich_table(sweep: Sweep) -> Table:
    """Return a line a cell and outcome as a rich table."""
    table = headed(
        [("precision", False), ("lr", False), ("outcome", False), ("members", True),
         ("95 %", True), ("crossing", True), ("drop", True), ("blow-up", True)]
    )  # fmt: skip
    for precision, row in zip(sweep.precisions, sweep.cells, strict=True):
        name = precision
        for ensemble in row:
            group = group_of(ensemble)
            spreads, lr = [str(spread) for spread in group.spreads.values()], group.lr
            for outcome, share in group.fractions.items():
                low, high = share.interval
                counts = (f"{share.count}/{share.of}", f"{low:.2f}–{high:.2f}")
                table.add_row(name, lr, outcome, *counts, *spreads)
                name, lr, spreads = "", "", ["", "", ""]
    return table


def caption(sweep: Sweep, width: int = WIDTH) -> list[str]:
    """Return the definitions that belong to the numbers, in lines of at most `width` columns."""
    first = sweep.cells[0][0]
    devices = dict.fromkeys(each.settings.get("device", "nothing yet") for each in sweep.ensembles)
    lines = [
        *asked_lines(first, sweep.lrs),
        f"each cell {members_text(first.settings)} · carried out on {' and '.join(devices)}",
        "95 %: Wilson's interval of the share of those members; crossing, drop, blow-up: median "
        "[least, greatest] over the members that have one",
        excursion_text(first.settings),
    ]
    return [piece for line in lines for piece in wrapped(line, width)]


def as_text(sweep: Sweep) -> str:
    """Return table and definitions as plain text of at most 100 columns."""
    return plain_text(rich_table(sweep), caption(sweep))
