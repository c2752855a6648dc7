"""Stages of a step, data of all bits, CPU paths side by side, and the floors beneath the times."""

from __future__ import annotations

import json

import gmpy2
import numpy as np
import pytest
from click.testing import CliRunner

from precipice import _core
from precipice.bench import Shape, run_benchmark
from precipice.bench.floors import Yardstick, multiplications
from precipice.bench.peers import cpu_path
from precipice.bench.stages import STAGES, PlainStages, WrongStage, time_stages
from precipice.bench.workload import Workload
from precipice.cli.main import main
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.precision import Precision

PEERS_WITH_STAGES = ["plain-mpfr", "precipice-mpfr", "precipice-generic", "gmpy2", "mpmath"]


def work(precision="mpfr90", shape="3x5", data="float64"):
    return Workload.draw(Shape.parse(shape), Precision.parse(precision), data)


def path():
    return _core.build_info()["cpu_path"]


@pytest.mark.parametrize("bits", [53, 64, 113, 256, 1024])
@pytest.mark.parametrize("data", ["float64", "full"])
def test_the_stages_are_those_of_the_written_program(bits, data):
    """f = X u, z = f v - y, g = Xᵀz and u - η g, in gmpy2."""
    given = work(f"mpfr{bits}", "9x11", data)
    stages = _core.Stages(**given.for_the_core())
    for stage in ("preactivations", "residuals", "gradient", "update"):
        getattr(stages, stage)()
    with given.precision.context():
        X = [[gmpy2.mpfr(x) for x in row] for row in given.X.tolist()]
        u, y = ([gmpy2.mpfr(x) for x in a.tolist()] for a in (given.u, given.y))
        f = [dot(row, u) for row in X]
        z = [a * given.v - b for a, b in zip(f, y, strict=True)]
        g = [dot(column, z) for column in zip(*X, strict=True)]
        u = [a - given.lr * b for a, b in zip(u, g, strict=True)]
    assert (stages.f, stages.g, stages.u) == tuple([text(x) for x in a] for a in (f, g, u))


def dot(a, b):
    total = a[0] * b[0]
    for x, y in zip(a[1:], b[1:], strict=True):
        total += x * y
    return total


def test_repeating_a_stage_changes_only_the_parameters():
    once, often = (_core.Stages(**work().for_the_core()) for _ in range(2))
    for stages, repeats in ((once, 1), (often, 3)):
        stages.preactivations(repeats)
        stages.residuals()
        stages.gradient(repeats)
    assert (once.f, once.g) == (often.f, often.g)
    for _ in range(3):
        once.update()
    often.update(3)
    assert once.u == often.u != [text(x) for x in work().u]


def test_stages_are_rows_of_the_benchmark():
    names = [name for name in PEERS_WITH_STAGES if name != f"precipice-{path()}"]
    rows = run_benchmark(["40x3"], ["mpfr70"], names, rounds=1, stages=True).rows
    for stage in STAGES:
        timed = {row.engine: row for row in rows if row.stage == stage}
        assert set(timed) == {"precipice", *names}
        for name, row in timed.items():
            assert row.nanoseconds > 0
            assert row.microseconds is None
            exact = name != "mpmath"
            assert row.agreement == ("equal" if exact else "compared in whole steps")
        assert timed["gmpy2"].scope == ("all data" if stage == "update" else "32 of 40 rows")


def test_a_wrong_stage_is_found(monkeypatch):
    right = PlainStages.results
    monkeypatch.setattr(PlainStages, "results", lambda self: [*right(self)[:-1], "0x1p+0"])
    with pytest.raises(WrongStage, match="plain-mpfr at mpfr90"):
        time_stages(work(), ["plain-mpfr"], 1)


@pytest.mark.parametrize("bits", [64, 300])
def test_full_data_have_all_bits(bits):
    entries = work(f"mpfr{bits}", data="full").X.ravel()
    lengths = [entry.as_mantissa_exp()[0].bit_length() for entry in entries]
    assert max(lengths) == bits
    assert np.mean(lengths) > bits - 4


def test_parameters_under_way_have_all_bits():
    """Also where few roundings happen: two samples, 1024 bits."""
    data = work("mpfr1024", "2x100").under_way()
    lengths = [entry.as_mantissa_exp()[0].bit_length() for entry in (*data.u, data.v)]
    assert np.mean(lengths) > 1020


def test_full_data_are_timed_and_compared():
    rows = run_benchmark(["3x4"], None, ["plain-mpfr", "gmpy2"], rounds=1, data="full").rows
    assert len({row.precision for row in rows}) > 5
    assert all(row.data == "full" and row.precision.startswith("mpfr") for row in rows)
    assert all(row.agreement.startswith("equal") for row in rows if row.engine != "precipice")


def test_full_data_need_a_format_with_its_own_bits():
    with pytest.raises(InvalidArgument, match="mpfr<bits>"):
        run_benchmark(["3x4"], ["mpfr64", "float32"], [], data="full")
    with pytest.raises(InvalidArgument, match="float64 or full"):
        run_benchmark(["3x4"], ["mpfr64"], [], data="half")


def test_a_forced_path_holds_for_what_begins_within(monkeypatch):
    monkeypatch.setenv("PRECIPICE_CPU", "generic")
    with cpu_path("mpfr"):
        assert path() == "mpfr"
        assert _core.limb_layout(100) is None
        with cpu_path(None):
            assert path() == "mpfr"
    assert path() == "generic"
    monkeypatch.delenv("PRECIPICE_CPU")
    with cpu_path("mpfr"):
        pass
    assert path() != "mpfr"


def test_a_path_is_not_compared_with_itself(monkeypatch):
    monkeypatch.setenv("PRECIPICE_CPU", "mpfr")
    names = ["precipice-mpfr", "precipice-generic"]
    rows = run_benchmark(["3x4"], ["mpfr64"], names, rounds=1, stages=True).rows
    (row,) = (row for row in rows if row.engine == "precipice-mpfr")
    assert row.nanoseconds is None
    assert "this path" in row.scope
    assert {row.agreement for row in rows if row.engine == "precipice-generic"} == {
        "equal after 3 steps", "equal",
    }  # fmt: skip


def test_multiplications_are_those_of_the_kernels():
    """In lanes from K = 5 on without the lowest columns: those of i + j < K - 2."""
    for limbs in range(1, 23):
        first = limbs - 2 if limbs >= 5 else 0
        counted = sum(
            (i + j >= first) + (i + j + 1 >= first) for i in range(limbs) for j in range(limbs)
        )
        assert multiplications(limbs, 8, short=False) == counted
        assert multiplications(limbs, 8, short=True) == 2 * limbs
        assert multiplications(limbs, 1, short=False) == limbs**2


class KnownYardstick(Yardstick):
    hertz = 4e9

    def bytes_a_second(self, size):
        self.size = size
        return 1e9 if size > 10_000 else 1e12


def test_floors(monkeypatch):
    monkeypatch.setenv("PRECIPICE_CPU", "generic")
    yardstick = KnownYardstick()
    small = yardstick.floor(work("mpfr256"), "step")
    assert (small.nanoseconds, small.set_by) == (pytest.approx(4 / 4), "multiplications")
    large = yardstick.floor(work("mpfr256", "40x50"), "X u")
    assert (large.nanoseconds, large.set_by) == (pytest.approx(8.0), "bytes")
    full = yardstick.floor(work("mpfr256", data="full"), "Xᵀz")
    assert full.nanoseconds == pytest.approx(16 / 4)
    assert yardstick.floor(work("mpfr256"), "update").nanoseconds == pytest.approx(16 / 4)
    native = yardstick.floor(work("float32", "40x100"), "step")
    assert (native.nanoseconds, native.set_by) == (pytest.approx(4 / 2), "bytes")
    assert yardstick.size == 40 * 100 * 4
    for unmodelled in ("float80", "mpfr90000"):
        assert yardstick.floor(work(unmodelled), "step") is None


def test_yardsticks_measure_something():
    assert _core.dependent_additions(640) == 640
    assert _core.ReadBuffer(1000).read(3)
    yardstick = Yardstick()
    assert 1e8 < yardstick.hertz < 1e11
    assert yardstick.bytes_a_second(10_000) > 1e8


def test_the_command_times_stages_on_full_data(tmp_path):
    few = ["--shapes", "2x5", "--precision", "mpfr64", "--peers", "plain-mpfr", "--rounds", "1"]
    arguments = [*few, "--stages", "--data", "full"]
    result = CliRunner().invoke(main, ["bench", *arguments, "--json"])
    rows = json.loads(result.stdout)["rows"]
    assert [row["stage"] for row in rows[::2]] == ["step", *STAGES]
    result = CliRunner().invoke(main, ["bench", *arguments, "--out", str(tmp_path / "o")])
    assert result.exit_code == 0, result.output
    assert "Xᵀz" in result.stdout
    assert (tmp_path / "o" / "bench.png").stat().st_size > 10_000
