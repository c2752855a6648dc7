"""Computed numbers beside printed ones: how far apart, in the paper's own standard deviations."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Entry:
    """One entry of a paper's table, computed again.

    Attributes
    ----------
    table : int
    symbol : str
        The row.
    samples : int
        N.
    mean, std : float
        Ours; the standard deviation divides by the count.
    printed : str or None
        The paper's "mean(std)"; None where it has no such entry.
    paper_mean, paper_std : float or None
        What the text says.
    deviation : float or None
        (mean - paper_mean)/paper_std.
    """

    table: int
    symbol: str
    samples: int
    mean: float
    std: float
    printed: str | None
    paper_mean: float | None
    paper_std: float | None
    deviation: float | None


@dataclass(frozen=True)
class Tables:
    """The entries of some tables, and what they are of.

    Attributes
    ----------
    entries : tuple of Entry
    settings : dict
        The definitions that travel with the numbers; JSON-able.
    caption : str
        The same in a line, for a reader.
    """

    entries: tuple[Entry, ...]
    settings: dict[str, Any]
    caption: str

    def furthest(self) -> Entry | None:
        """Return the entry furthest from the paper, in the paper's standard deviations."""
        compared = [entry for entry in self.entries if entry.deviation is not None]
        return max(compared, key=lambda entry: abs(entry.deviation or 0.0), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {"settings": self.settings, "entries": [asdict(entry) for entry in self.entries]}

    def to_json(self) -> str:
        """Return `to_dict` as one JSON document."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False, indent=2)

    def text(self) -> str:
        """Return a line an entry, the largest deviation and the caption, in 100 columns."""
        lines = [_line("table", "quantity", "N", "ours", "paper", "deviation/std")]
        for entry in self.entries:
            lines.append(
                _line(
                    str(entry.table),
                    entry.symbol,
                    str(entry.samples),
                    f"{entry.mean:.3f}({entry.std:.3f})",
                    entry.printed or "-",
                    "-" if entry.deviation is None else f"{entry.deviation:+.2f}",
                )
            )
        furthest = self.furthest()
        if furthest is not None:
            lines += [
                "",
                f"Largest deviation: {abs(furthest.deviation or 0.0):.2f} of the paper's standard "
                "deviations",
                f"(table {furthest.table}, {furthest.symbol}, N = {furthest.samples}).",
            ]
        return "\n".join([*lines, self.caption]) + "\n"


def entry(
    table: int, symbol: str, samples: int, values: npt.NDArray[np.float64], printed: str | None
) -> Entry:
    """Return the mean and standard deviation of some values beside the printed "mean(std)"."""
    mean, std = float(values.mean()), float(values.std())
    if printed is None:
        return Entry(table, symbol, samples, mean, std, None, None, None, None)
    match = re.fullmatch(r"([\d.]+)\(([\d.]+)\)", printed)
    assert match is not None
    paper_mean, paper_std = float(match[1]), float(match[2])
    deviation = (mean - paper_mean) / paper_std
    return Entry(table, symbol, samples, mean, std, printed, paper_mean, paper_std, deviation)


def _line(table: str, symbol: str, samples: str, ours: str, paper: str, deviation: str) -> str:
    return f"{table:<6}{symbol:<25}{samples:>5}  {ours:>21}  {paper:>15}  {deviation:>13}"
