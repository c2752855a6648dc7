"""Sweeps: an ensemble a cell, saved whole, stopped and resumed."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

import precipice as pc
from precipice.errors import InvalidArgument
from precipice.study.sweep import Sweep, SweepInterrupted, prepare_sweep, unfinished
from precipice.study.sweep_storage import FILES
from precipice.study.sweep_table import rows

FIG6 = (pc.problems.fig6(), pc.Minimalist())
GRID = {"lrs": ["2/40", "2/50", "2/60"], "precisions": ["float32", "mpfr114", "mpfr256"]}


def keywords(**changed):
    return {
        **GRID,
        "steps": 1200,
        "init": pc.init.constant("0.01"),
        "loss": "mean",
        "perturbations": 6,
        "perturbation_bits": 24,
        **changed,
    }


@pytest.fixture(scope="module")
def swept():
    return pc.sweep(*FIG6, **keywords())


def test_each_cell_is_the_ensemble_of_its_precision_and_step_size(swept):
    own = keywords()
    for name in GRID:
        del own[name]
    for precision, row in zip(GRID["precisions"], swept.cells, strict=True):
        for lr, cell in zip(GRID["lrs"], row, strict=True):
            assert cell == pc.ensemble(*FIG6, pc.GD(lr), precision=precision, **own)
            assert swept.cell(precision, lr) is cell


def test_the_table_has_a_line_for_each_cell_and_outcome(swept):
    table = swept.table()
    assert max(map(len, table.splitlines())) <= 100
    lines = [line.split() for line in table.splitlines()[2:]]
    first = lines[: lines.index([])]
    assert len(first) == sum(len(cell.fractions()) for cell in swept.ensembles)
    assert first[0][:4] == ["float32", "2/40", "max_steps", "6/6"]
    assert "GD η = 2/40,2/50,2/60" in table


def test_the_table_names_every_device(swept):
    first, *others = swept.ensembles
    cells = [replace(first, settings={**first.settings, "device": "cuda: H100"}), *others]
    elsewhere = Sweep(("float32",), swept.lrs, (tuple(cells[: len(swept.lrs)]),))
    assert "carried out on cuda: H100 and cpu" in " ".join(elsewhere.table().split())
    assert "carried out on cpu" in " ".join(swept.table().split())


def test_rows_have_one_set_of_columns(swept):
    entries = rows(swept)
    assert len(entries) == 9
    assert all(list(entry) == list(entries[0]) for entry in entries)
    for entry, cell in zip(entries, swept.ensembles, strict=True):
        assert entry["blowup"] == np.sum(cell.outcomes == "blowup")
        dropped = cell.drop[cell.drop >= 0]
        assert entry["drop_count"] == dropped.size
        if dropped.size:
            assert entry["drop_median"] == np.median(dropped)


def test_the_figure_has_a_number_in_each_cell(tmp_path, swept):
    figure = swept.plot(tmp_path / "figure.png")
    left, right = figure.axes
    shown = [text.get_text() for text in left.texts]
    assert shown == [f"{np.mean(cell.outcomes == 'blowup'):.2f}" for cell in swept.ensembles]
    medians = [np.median(cell.drop[cell.drop >= 0]) if (cell.drop >= 0).any() else None
               for cell in swept.ensembles]  # fmt: skip
    assert [text.get_text() for text in right.texts] == [
        "–" if median is None else f"{median:.0f}" for median in medians
    ]


def test_a_loaded_sweep_is_the_one_saved(tmp_path, swept):
    folder = swept.save(tmp_path / "out")
    assert {entry.name for entry in folder.iterdir()} == FILES
    loaded = pc.load(folder)
    assert loaded == swept
    assert loaded.table() == swept.table()
    assert loaded.to_dict() == json.loads(json.dumps(swept.to_dict()))
    assert swept.save(folder) == folder
    other = pc.sweep(*FIG6, **keywords(steps=2))
    with pytest.raises(InvalidArgument, match="^out = .*it holds other results"):
        other.save(folder)


@pytest.mark.parametrize("damage", ["version", "cells", "series"])
def test_damaged_results_are_refused(tmp_path, damage):
    sweep = pc.sweep(*FIG6, **keywords(steps=2))
    folder = sweep.save(tmp_path / "out")
    path = folder / "sweep.json"
    document = json.loads(path.read_text())
    if damage == "version":
        document["schema_version"] = 99
    elif damage == "cells":
        document["cells"].pop()
    else:
        (folder / "series.npz").write_bytes(b"")
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidArgument, match="^directory = "):
        pc.load(folder)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lrs": []}, "lrs = : must name at least one"),
        ({"lrs": None}, "lrs = None: must be a sequence"),
        ({"optimizer": "gd"}, "optimizer = gd: must be an optimiser"),
        ({"lrs": ["2/50", "1/25"]}, "lrs = 2/50,1/25: 1/25 is named twice"),
        ({"precisions": []}, "precision = : at least one"),
        ({"precisions": ["float32", "float32"]}, "precision = .*: float32 is named twice"),
        ({"precisions": ["float33"]}, "precision = float33"),
        ({"rounding_seed": 1}, "rounding_seed = 1: needs a precision that rounds"),
        ({"precisions": ["bfloat16:sr"]}, "rounding_seed = None: must be given"),
        ({"perturbation_bits": 30}, "perturbation_bits = 30: must be at most 24"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(changed, message):
    with pytest.raises(InvalidArgument, match=f"^{message}"):
        pc.sweep(*FIG6, **keywords(**changed))


def test_stochastic_and_other_formats_stand_side_by_side():
    sweep = pc.sweep(*FIG6, **keywords(precisions=["bfloat16:sr", "float64"], rounding_seed=3,
                                       perturbation_bits=8, steps=50))  # fmt: skip
    assert sweep.cells[0][0].settings["rounding_seed"] == 3
    assert "rounding_seed" not in sweep.cells[1][0].settings


def test_no_such_cell(swept):
    with pytest.raises(InvalidArgument, match="^precision = float64: must be one of float32"):
        swept.cell("float64", "2/50")
    with pytest.raises(InvalidArgument, match="^lr = 3: must be one of 2/40"):
        swept.cell("float32", "3")


def test_stopped_and_resumed_it_is_the_sweep_never_stopped(tmp_path, swept):
    pieces = 0
    for attempt in range(300):
        stop = threading.Event()
        timer = threading.Timer(0.03 * (1 + attempt / 10), stop.set)
        timer.start()
        prepared = prepare_sweep(*FIG6, **keywords(), checkpoint=tmp_path / "saved",
                                 checkpoint_seconds=0.02, resume=True)  # fmt: skip
        found = prepared.run(stop=stop)
        timer.cancel()
        pieces += 1
        if not unfinished(found):
            break
    assert pieces > 1
    assert found == swept


def test_ctrl_c_brings_back_what_was_computed(swept):
    def interrupt(progress):
        if progress.cell == 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(SweepInterrupted) as raised:
        pc.sweep(*FIG6, **keywords(), progress=interrupt)
    found = raised.value.sweep
    assert found.ensembles[0] == swept.ensembles[0]
    assert unfinished(found)
    found.table(), found.plot(), found.to_dict()


def test_progress_says_which_cell():
    seen = []
    pc.sweep(*FIG6, **keywords(steps=3), progress=seen.append)
    named = list(dict.fromkeys((each.cell, each.precision, each.lr) for each in seen))
    assert named == [(3 * i + j, precision, lr) for i, precision in enumerate(GRID["precisions"])
                     for j, lr in enumerate(GRID["lrs"])]  # fmt: skip
