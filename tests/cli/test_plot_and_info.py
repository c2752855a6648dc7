"""`precipice plot` and `precipice info`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from constructed import make_comparison, three_runs
from precipice.cli import info
from precipice.cli.main import main


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_plot_redraws_in_place(tmp_path):
    out = make_comparison(*three_runs()).save(tmp_path / "out")
    before = (out / "figure.png").read_bytes()
    (out / "figure.png").unlink()
    result = invoke("plot", str(out))
    assert result.exit_code == 0
    assert result.stdout == f"{out / 'figure.png'}\n"
    assert (out / "figure.png").read_bytes() == before


def test_plot_writes_the_format_asked_for(tmp_path):
    out = make_comparison(*three_runs()).save(tmp_path / "out")
    assert invoke("plot", str(out), "--out", str(tmp_path / "f.svg")).exit_code == 0
    assert (tmp_path / "f.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("name", ["f.docx", "absent/f.png"])
def test_plot_refuses_what_it_cannot_write(tmp_path, name):
    out = make_comparison(*three_runs()).save(tmp_path / "out")
    result = invoke("plot", str(out), "--out", str(tmp_path / name))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: out = ")


def test_plot_refuses_a_directory_without_a_comparison(tmp_path):
    result = invoke("plot", str(tmp_path))
    assert result.exit_code == 2
    assert "must hold a saved comparison" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_info_says_versions_formats_and_machine():
    facts = json.loads(invoke("info", "--json").stdout)
    assert {"precipice", "python", "numpy", "gmpy2"} <= facts["versions"].keys()
    assert {"mpfr", "gmp", "cpu_path"} <= facts["core"].keys()
    assert facts["formats"]["float64"]["available"] is True
    assert facts["formats"]["float64"]["bits"] == 53
    assert facts["machine"]["cores"] >= 1
    text = invoke("info").stdout
    for part in (facts["core"]["mpfr"], "float128", facts["machine"]["memory"], "53 bits"):
        assert part in text


def test_info_says_why_a_format_or_the_core_is_not_here(monkeypatch):
    def absent(name):
        raise ImportError("No module named\n'precipice._core'")

    monkeypatch.setattr(info, "import_module", absent)
    monkeypatch.setattr(
        "precipice.precision.Precision.availability", lambda self: (False, "long double is short")
    )
    text = invoke("info").stdout
    assert "No module named 'precipice._core'" in text
    assert "no     64 bits  long double is short" in text
