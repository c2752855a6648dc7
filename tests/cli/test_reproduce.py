"""`precipice reproduce`: the papers' tables from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from precipice.cli.main import main
from precipice.reproduce import yoo2025_figures


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
    refused(invoke("yoo2025", "tables", *arguments), parts)


def refused(result, parts):
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr


@pytest.mark.parametrize("arguments", [["yoo2024"], ["yoo2025", "chapters"]])
def test_other_papers_and_parts_are_refused(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert arguments[-1] in result.stderr


def tiny(path, **flags):
    """Figures 4 and 9 of eight images, in a few steps."""
    return yoo2025_figures.batch_and_step_size(
        path, samples=8, batches=(2, 4), learning_rates=("2/2000", "2/4000"), steps=6, **flags
    )


@pytest.fixture
def figures(archive, monkeypatch):
    monkeypatch.setitem(yoo2025_figures.FIGURES, "4-9", tiny)
    return ("yoo2025", "figures", archive)


def test_figures_are_printed_and_nothing_is_written(figures, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = invoke(*figures)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.splitlines()[0].split()[:3] == ["batch", "η", "steps"]
    assert "a smaller batch sharpens less" in result.stdout
    assert list(Path.cwd().iterdir()) == []


def test_figures_are_written_where_asked(figures, tmp_path):
    out = tmp_path / "a" / "b"
    result = invoke(*figures, "--out", str(out))
    assert result.exit_code == 0
    assert result.stderr.startswith("Wrote ")
    assert sorted(path.name for path in out.iterdir()) == [
        "yoo2025-figures-4-9.json", "yoo2025-figures-4-9.png",
    ]  # fmt: skip
    assert invoke(*figures, "--out", str(out), "--quiet").stderr == ""


def test_figures_in_json_are_one_document(figures):
    result = invoke(*figures, "--json", "--figures", "4-9,4-9")
    (one,) = json.loads(result.stdout)["figures"]
    assert one["figure"] == "yoo2025-figures-4-9"
    assert len(one["runs"]) == 5


def test_a_bar_does_not_touch_the_figures(figures, monkeypatch):
    plain = invoke(*figures).stdout
    updates = []
    monkeypatch.setattr("precipice.cli.figures.wanted", lambda **flags: True)
    monkeypatch.setattr(
        "rich.progress.Progress.update", lambda self, task, **fields: updates.append(fields)
    )
    assert invoke(*figures).stdout == plain
    assert updates[-1] == {"completed": 42, "total": 42}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--figures", "5"], ["figures = 5", "4-9"]),
        (["n=3"], ["n = 3", "no setting"]),
        (["--workers", "0"], ["workers = 0"]),
        (["--out", "/proc/nowhere"], ["out = /proc/nowhere", "folder"]),
    ],
)
def test_bad_requests_for_figures_are_one_line(figures, arguments, parts):
    refused(invoke(*figures, *arguments), parts)


def test_figures_need_a_path():
    refused(invoke("yoo2025", "figures"), ["path = ", "need path=FILE"])


def test_wangs_figures_have_their_numbers():
    refused(invoke("wang2022", "figures", "path=a.npz", "--figures", "1"), ["1-3, 12, 20"])
    refused(invoke("wang2022", "figures", "path=absent.npz"), ["path = absent.npz", "no such file"])
    assert "airplanes and automobiles" in invoke("wang2022", "figures", "--help").stdout
