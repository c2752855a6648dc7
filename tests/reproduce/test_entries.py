"""Computed entries beside printed ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from precipice.reproduce.entries import Tables, entry


def three_entries() -> Tables:
    return Tables(
        (
            entry(3, "Ŝ_2", 100, np.array([370.0, 390.0]), "365(61)"),
            entry(3, "Ŝ_2", 300, np.array([926.0]), "1017(91)"),
            entry(3, "Ŝ_2", 400, np.array([1.0]), None),
        ),
        {"subsets": 2},
        "two subsets",
    )


def test_the_deviation_is_in_the_papers_standard_deviations() -> None:
    first, second, third = three_entries().entries
    assert (first.mean, first.std) == (380.0, 10.0)
    assert (first.paper_mean, first.paper_std) == (365.0, 61.0)
    assert first.deviation == pytest.approx(15 / 61)
    assert second.deviation == -1.0
    assert (third.printed, third.paper_mean, third.deviation) == (None, None, None)


def test_the_furthest_entry_is_so_in_either_direction() -> None:
    found = three_entries()
    assert found.furthest() == found.entries[1]
    assert Tables(found.entries[2:], {}, "").furthest() is None


def test_text_has_a_line_an_entry_in_aligned_columns() -> None:
    lines = three_entries().text().splitlines()
    assert lines[1].split() == ["3", "Ŝ_2", "100", "380.000(10.000)", "365(61)", "+0.25"]
    assert lines[3].split()[-2:] == ["-", "-"]
    assert {len(line) for line in lines[:4]} == {len(lines[0])}
    assert lines[5:] == [
        "Largest deviation: 1.00 of the paper's standard deviations",
        "(table 3, Ŝ_2, N = 300).",
        "two subsets",
    ]
    assert all(len(line) <= 100 for line in lines)
    alone = Tables(three_entries().entries[2:], {}, "nothing printed").text()
    assert "Largest" not in alone


def test_json_holds_every_field() -> None:
    document = json.loads(three_entries().to_json())
    assert document["settings"] == {"subsets": 2}
    assert document["entries"][1] == {
        "table": 3, "symbol": "Ŝ_2", "samples": 300, "mean": 926.0, "std": 0.0,
        "printed": "1017(91)", "paper_mean": 1017.0, "paper_std": 91.0, "deviation": -1.0,
    }  # fmt: skip
