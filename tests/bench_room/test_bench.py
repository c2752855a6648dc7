"""The benchmark's harness: what it times is right, and it says so only if it is."""

from __future__ import annotations

import json
import subprocess
import sys

import gmpy2
import numpy as np
import pytest
from click.testing import CliRunner

from precipice import _core
from precipice.bench import PEERS, Shape, measure, run_benchmark
from precipice.bench.objects import Gmpy2
from precipice.bench.peers import NumPy
from precipice.bench.workload import Workload
from precipice.cli.main import main
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.precision import Precision


def work(precision="float64", shape="3x5"):
    return Workload.draw(Shape.parse(shape), Precision.parse(precision))


def invoke(*arguments):
    return CliRunner().invoke(main, ["bench", *arguments])


@pytest.fixture(scope="module")
def benchmark_of_all():
    return run_benchmark(["2x5", "40x3"], ["float32", "float64", "mpfr64", "mpfr200"], rounds=1)


def test_every_peer_is_timed_or_says_why_not(benchmark_of_all):
    engines = {"precipice", *PEERS}
    for shape in ("2x5", "40x3"):
        for precision in ("float32", "float64", "mpfr64", "mpfr200"):
            rows = [
                row
                for row in benchmark_of_all.rows
                if (row.shape, row.precision) == (shape, precision)
            ]
            assert {row.engine for row in rows} == engines
            assert all(row.scope and (row.nanoseconds is None or row.agreement) for row in rows)
    timed = {row.engine for row in benchmark_of_all.rows if row.nanoseconds is not None}
    assert {"precipice", "plain-mpfr", "blas", "numpy", "gmpy2", "mpmath"} <= timed


def test_no_step_is_extrapolated(benchmark_of_all):
    for row in benchmark_of_all.rows:
        whole = row.scope.startswith("whole steps")
        assert (row.microseconds is not None) == (whole and row.nanoseconds is not None)
        if whole and row.nanoseconds is not None:
            multiply_adds = {"2x5": 20, "40x3": 240}[row.shape]
            assert row.microseconds == pytest.approx(1e-3 * row.nanoseconds * multiply_adds)
    sliced = [row for row in benchmark_of_all.rows if "32 of 40 rows" in row.scope]
    assert {"gmpy2", "mpmath"} <= {row.engine for row in sliced}


def test_the_document_is_json(benchmark_of_all):
    document = json.loads(json.dumps(benchmark_of_all.to_dict(), allow_nan=False))
    assert set(document) == {"machine", "versions", "method", "rows"}


@pytest.mark.parametrize("preactivations", ["rows", "columns"])
@pytest.mark.parametrize("gradient", ["rows", "columns"])
def test_the_plain_loop_is_precipice_bit_for_bit(preactivations, gradient):
    data = work("mpfr113", "4x7")
    loop = _core.PlainMpfr(**data.for_the_core())
    loop.advance(20, preactivations, gradient)
    assert [*loop.u, *loop.v] == [text(x) for x in data.after(20)]


def test_the_plain_loop_refuses_what_does_not_fit():
    data = work("mpfr64")
    for broken in ({"y": data.y[:1]}, {"precision": 1}):
        for contestant in (_core.PlainMpfr, _core.Stages):
            with pytest.raises(ValueError, match="must be"):
                contestant(**{**data.for_the_core(), **broken})
    loop = _core.PlainMpfr(**data.for_the_core())
    with pytest.raises(ValueError, match="rows or columns"):
        loop.advance(1, "rows", "diagonals")


def test_a_wrong_exact_answer_is_found(monkeypatch):
    class OffByOneRounding(Gmpy2):
        def finish(self):
            super().finish()
            self._u[0] = gmpy2.next_above(self._u[0])

    monkeypatch.setitem(PEERS, "gmpy2", OffByOneRounding)
    with pytest.raises(measure.WrongAnswer, match="differs from precipice"):
        measure.check("gmpy2", work("mpfr80"))


def test_a_wrong_rounded_answer_is_found(monkeypatch):
    class Forgetful(NumPy):
        def products(self):
            super().products()
            self._g[0] *= 1 + 1e-6

    assert "of the bound" in measure.check("numpy", work())
    monkeypatch.setitem(PEERS, "numpy", Forgetful)
    with pytest.raises(measure.WrongAnswer, match="times the bound"):
        measure.check("numpy", work())


def test_a_wrong_plain_loop_is_found(monkeypatch):
    monkeypatch.setattr(measure.PlainMpfr, "loss", -1.0)
    with pytest.raises(measure.WrongAnswer, match="plain-mpfr at mpfr70"):
        run_benchmark(["2x3"], ["mpfr70"], ["plain-mpfr"], rounds=1)


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr40", "mpfr150"])
def test_the_bound_holds_for_another_order_of_summation(precision):
    """Shuffled samples and features: the same sums in another order, rounded as often."""
    data = work(precision, "30x40")
    random = np.random.default_rng(1)
    rows, columns = random.permutation(30), random.permutation(40)
    shuffled = Workload(
        data.precision, data.X[rows][:, columns], data.y[rows], data.u[columns], data.v, 0.25
    )
    straight = Workload(data.precision, data.X, data.y, data.u, data.v, 0.25)
    one, other = straight.after(1), shuffled.after(1)
    back = [*np.array(other[:-1])[np.argsort(columns)], other[-1]]
    apart = [float(abs(a - b) * 2**data.precision.bits) for a, b in zip(one, back, strict=True)]
    bound = straight.difference_bound()
    assert np.any(apart)
    assert np.all(np.array(apart) <= bound)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shapes": ["3072"]}, "SAMPLESxFEATURES"),
        ({"shapes": ["0x2"]}, "SAMPLESxFEATURES"),
        ({"precisions": ["float8"]}, "must be one of"),
        ({"precisions": ["mpfr10"]}, "24 bits or more"),
        ({"peers": ["abacus"]}, "must be among"),
        ({"rounds": 0}, "rounds"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_timed(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        run_benchmark(**arguments)


def test_the_command_saves_table_figure_and_document(tmp_path):
    out = tmp_path / "speed"
    few = ("--shapes", "2x5", "--precision", "float32,mpfr64", "--rounds", "1", "--out", str(out))
    result = invoke(*few)
    assert result.exit_code == 0, result.output
    assert "plain-mpfr" in result.stdout
    assert "ns/MAC" in result.stdout
    assert sorted(path.name for path in out.iterdir()) == ["bench.json", "bench.png", "table.txt"]
    assert (out / "table.txt").read_text(encoding="utf-8").startswith("shape")
    assert invoke(*few, "--quiet").exit_code == 0  # an earlier benchmark may be replaced


def test_the_command_prints_one_document():
    result = invoke("--shapes", "2x5", "--precision", "float64", "--peers", "numpy", "--json")
    assert result.exit_code == 0
    assert [row["engine"] for row in json.loads(result.stdout)["rows"]] == ["precipice", "numpy"]


def test_the_command_leaves_other_things_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    result = invoke("--shapes", "2x5", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "thesis.tex" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_numpy_is_held_to_one_thread():
    """The command sets the BLAS's variables, which works only before NumPy is imported."""
    command = "import sys; from precipice.cli.main import main; main(sys.argv[1:])"
    few = ["bench", "--shapes", "2x5", "--precision", "float64", "--peers", "blas", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", command, *few], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["method"]["blas_threads"].startswith("1 ")
