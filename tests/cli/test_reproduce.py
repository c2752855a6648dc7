"""`precipice reproduce`: the papers' tables from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from precipice.cli.main import main


def invoke(*arguments):
    return CliRunner().invoke(main, ["reproduce", *arguments])


@pytest.fixture
def archive(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(12, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images, labels=np.tile([3, 5], 6))
    return f"path={tmp_path / 'images.npz'}"


def test_tables_are_printed(archive):
    result = invoke("yoo2025", "tables", archive, "--subsets", "2", "--sizes", "4,6")
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["table", "quantity", "N", "ours", "paper", "deviation/std"]
    assert lines[1].split()[:3] == ["1", "Q", "4"]
    assert "2 balanced random subsets a size" in result.stdout


def test_json_is_one_document(archive):
    arguments = ("yoo2025", "tables", archive, "--subsets", "1", "--sizes", "6", "--json")
    document = json.loads(invoke(*arguments).stdout)
    assert document["settings"]["subsets"] == 1
    assert {one["table"] for one in document["entries"]} == {1, 2, 3, 4, 11, 12, 13, 14, 15}


def test_a_bar_does_not_touch_the_tables(archive, monkeypatch):
    arguments = ("yoo2025", "tables", archive, "--subsets", "1", "--sizes", "6")
    plain = invoke(*arguments).stdout
    updates = []
    monkeypatch.setattr("precipice.cli.reproduce.wanted", lambda **flags: True)
    monkeypatch.setattr(
        "rich.progress.Progress.update", lambda self, task, **fields: updates.append(fields)
    )
    result = invoke(*arguments)
    assert result.exit_code == 0
    assert result.stdout == plain
    assert updates == [{"completed": 1, "total": 1}]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["path = ", "need path=FILE"]),
        (["path=absent.npz"], ["path = absent.npz", "no such file"]),
        (["path=a.npz", "n=3"], ["n = 3", "no setting"]),
        (["a.npz"], ["setting = a.npz", "key=value"]),
        (["path=a.npz", "--sizes", "4,many"], ["sizes = 4,many", "integers"]),
        (["path=a.npz", "--subsets", "0"], ["subsets = 0", "at least 1"]),
        (["path=a.npz", "--subsets", "many"], ["many"]),
    ],
)
def test_bad_input_is_one_line(arguments, parts):
    result = invoke("yoo2025", "tables", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr


@pytest.mark.parametrize("arguments", [["yoo2024"], ["yoo2025", "figures"]])
def test_other_papers_and_parts_are_refused(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert arguments[-1] in result.stderr
