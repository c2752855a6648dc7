"""Formats, roundings, orders and stages on the command line."""

from __future__ import annotations

import io
import json

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from precipice.arithmetic import ORDERS, STAGES
from precipice.cli import formats
from precipice.cli.main import main
from precipice.formats import NAMED, ROUNDINGS
from precipice.mixed import working_precision
from precipice.precision import Precision
from precipice.study.comparison import run_folder
from precipice.study.storage import load

FEW = ("--engine", "reference", "--steps", "20")


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


def one_line(result):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").rstrip("\n")


def test_every_named_format_is_in_the_table():
    text = invoke("info", "--formats").stdout
    for name in (*NAMED, "mpfr113", "mpfr1024"):
        assert f"\n{name} " in text
    for words in (
        *ROUNDINGS.values(),
        *STAGES,
        *ORDERS,
        "beyond the largest: NaN in float8_e4m3fn",
    ):
        assert " ".join(words.split()) in " ".join(text.split())
    (row,) = (line for line in text.splitlines() if line.startswith("float16"))
    assert row.split()[:7] == ["float16", "11", "-23…16", "2^-10", "65504", "6.104e-05", "5.96e-08"]
    (row,) = (line for line in text.splitlines() if line.startswith("float64"))
    assert "hardware arithmetic" in row


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_table_fits(width):
    from rich.console import Console

    named = [Precision.parse(name) for name in (*NAMED, "mpfr1024", "p13_emin-40_emax20_sub")]
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(formats.table(named, width))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    for format_ in named[:-1]:  # the last one's name may be folded
        assert sum(line.startswith(format_.name + " ") for line in text.splitlines()) == 1
        assert format_.availability()[1].split()[0] in text
    assert max(map(len, formats.legend(named, width))) <= width


def test_formats_as_a_document():
    document = json.loads(invoke("info", "--formats", "--json").stdout)
    assert set(document) == {"formats", "roundings", "orders", "stages"}
    assert (document["roundings"], document["orders"]) == (ROUNDINGS, ORDERS)
    entry = document["formats"]["float8_e4m3fn"]
    assert (entry["bits"], entry["overflow"], entry["reserved"]) == (4, "nan", 1)
    assert (entry["largest"], entry["smallest"]) == ("0x1.cp+8", "0x1p-9")
    assert (entry["smallest_normal"], entry["epsilon"]) == ("0x1p-6", "0x1p-3")
    assert document["formats"]["float64"]["available"] is True
    assert len(document["formats"]["float64"]["how"]) > 3


def test_a_format_of_ones_own():
    document = json.loads(invoke("info", "--formats", "--json", "e3m4:rz", "mpfr40").stdout)
    assert list(document["formats"]) == ["e3m4:rz", "mpfr40"]
    assert document["formats"]["e3m4:rz"]["rounding"] == "toward zero"
    assert invoke("info", "--formats", "e3m4").stdout.splitlines()[2].split()[:3] == [
        "e3m4", "5", "-5…4"
    ]  # fmt: skip
    assert one_line(invoke("info", "--formats", "e3")).startswith("precision = e3: must be one of")
    assert one_line(invoke("info", "e3m4")) == "name = e3m4: needs --formats"


BAD = [
    ("--precision p4_emin9_emax3", "precision = p4_emin9_emax3: emin must not be above emax = 3"),
    ("--precision mpfr1", "precision = mpfr1: must be one of"),
    ("--precision p1_emin0_emax3", "bits must be an integer of at least 2"),
    ("--precision float8_e4m3fn:inf", "precision = float8_e4m3fn:inf: must end in"),
    ("--precision p4_emin-8_emax9_sub_reserved1", "overflow must be nan or saturate"),
    ("--precision p9_emin0_emax3_sub", "must leave a number of all 9 bits"),
    ("--precision float32:up", "precision = float32:up: must end in at most one rounding"),
    ("--precision bfloat16:sr", "rounding_seed = None: must be given: bfloat16:sr rounds"),
    ("--precision float32 --rounding-seed 1", "rounding_seed = 1: needs a precision that rounds"),
    ("--precision float32:sr --rounding-seed -1", "rounding_seed = -1: must be an integer of at"),
    ("--precision float32:sr --rounding-seed x", "rounding_seed = x: must be an integer"),
    ("--precision float32 --order sideways",
     "order = sideways: must be sequential, fused, blocked, pairwise, kahan or exact"),
    ("--precision float32/sums=float64", "STAGE one of parameters, forward, accumulate"),
    ("--precision float32/update=e2m1", "lr = 2/50: must not round to 0 in e2m1"),
    ("--precision float32/forward=p3_emin5_emax9",
     "X = 4 numbers: must not round to zero in p3_emin5_emax9, the format of stage forward"),
    ("--precision e2m1/update=float32/forward=p2_emin-9_emax0",
     "X = array with an entry out of range: must not overflow when rounded to p2_emin-9_emax0, "
     "the format of stage forward"),
    ("--precision float32 --problem-dtype bfloat16:rd", "problem_dtype = bfloat16:rd: must have"),
    ("--precision float32,float32:rn", "float32 is named twice"),
]  # fmt: skip


# `run` takes one precision.
OF_ONE = [case for case in BAD if "," not in case[0] and "needs a precision" not in case[1]]


@pytest.mark.parametrize(("flags", "message"), BAD)
def test_bad_input_to_compare_is_one_line(flags, message):
    assert message in one_line(invoke("compare", *FEW, *flags.split()))


@pytest.mark.parametrize(("flags", "message"), OF_ONE)
def test_bad_input_to_run_is_one_line(flags, message):
    assert message in one_line(invoke("run", *FEW, *flags.split()))


def test_a_comparison_of_formats_orders_and_stages(tmp_path):
    names = "float32,bfloat16:sr,bfloat16/accumulate=float32/parameters=float32,p13_emin-40_emax20"
    out = tmp_path / "out"
    result = invoke(
        "compare", *FEW, "--precision", names, "--rounding-seed", "7", "--order", "pairwise",
        "--problem-dtype", "float16", "--out", str(out),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert max(map(cell_len, result.stdout.splitlines())) <= 100
    assert "…" not in result.stdout
    for words in (f"order pairwise: {ORDERS['pairwise']}", "rounding seed 7", "\n/accumulate=f"):
        assert words.replace(" ", "") in result.stdout.replace(" ", "").replace("\n·", "·")
    comparison = load(out)
    mixture = "bfloat16/parameters=float32/accumulate=float32"
    assert [str(run.precision) for run in comparison.runs] == [
        "float32", "bfloat16:sr", mixture, "p13_emin-40_emax20"
    ]  # fmt: skip
    settings = comparison.settings
    assert (settings["order"], settings["order_definition"]) == ("pairwise", ORDERS["pairwise"])
    assert (settings["rounding_seed"], settings["problem_dtype"]) == (7, "float16")
    seeds = [run.settings.get("rounding_seed") for run in comparison.runs]
    assert seeds == [None, 7, None, None]
    stages = comparison.runs[2].settings["precision"]["stages"]
    assert [stages[stage]["name"] for stage in STAGES] == [
        "float32", "bfloat16", "float32", "bfloat16", "bfloat16", "bfloat16"
    ]  # fmt: skip
    assert comparison.runs[1].settings["precision"]["rounding"] == "stochastic"
    assert all(run.settings["carried_out_by"] for run in comparison.runs)
    assert all(x.precision == 24 for x in comparison.runs[2].parameters()["u"])
    assert load(out).table() == comparison.table()


def test_orders_side_by_side(tmp_path):
    out = tmp_path / "out"
    names = "float32/order=kahan,float32,float32/order=sequential"
    result = invoke(
        "compare", *FEW, "--precision", names, "--order", "fused", "--out", str(out)
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    comparison = load(out)
    assert [run.settings["order"] for run in comparison.runs] == ["kahan", "fused", "sequential"]
    assert [run.settings["order_definition"] for run in comparison.runs] == [
        ORDERS[order] for order in ("kahan", "fused", "sequential")
    ]  # fmt: skip
    assert comparison.settings["order"] == "fused"
    assert comparison.settings["order_definition"] == ORDERS["fused"]
    assert "\n/order=kahan" in result.stdout


def test_results_of_before_there_were_orders_still_load(tmp_path):
    """Saved then, a comparison had no definition of its order and formats no overflow."""
    out = tmp_path / "out"
    assert (
        invoke("compare", *FEW, "--precision", "float32,mpfr60", "--out", str(out)).exit_code == 0
    )
    path = out / "comparison.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["settings"]["order_definition"]
    for run in document["runs"]:
        for name in ("order_definition", "carried_out_by"):
            del run["exact"]["settings"][name]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [str(run.precision) for run in load(out).runs] == ["float32", "mpfr60"]
    assert "order sequential · coordinates" in load(out).table()


@pytest.mark.parametrize(("name", "value"), [("order_definition", 3), ("rounding_seed", "7")])
def test_settings_of_another_type_are_not_read(tmp_path, name, value):
    out = tmp_path / "out"
    assert invoke("compare", *FEW, "--precision", "float32", "--out", str(out)).exit_code == 0
    path = out / "comparison.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["settings"][name] = value
    path.write_text(json.dumps(document), encoding="utf-8")
    assert f"settings.{name} has another type" in one_line(invoke("plot", str(out)))


def test_every_run_has_a_checkpoint_folder_of_its_own(tmp_path):
    names = ("bfloat16/accumulate=float32", "bfloat16/update=float32", "e3m4:rz", "mpfr113")
    folders = [run_folder(tmp_path, working_precision(name)) for name in names]
    assert len(set(folders)) == len(names)
    assert all(folder.parent == tmp_path for folder in folders)
    assert folders[-1].name == "mpfr113"
