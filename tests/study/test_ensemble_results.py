"""Ensembles as results: saved and loaded, compared, as tables and figures."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

import precipice as pc
from fig6_ensembles import FIG6, assert_is_the_run, ensemble, keywords
from precipice.errors import InvalidArgument
from precipice.study.ensemble import prepare_ensemble
from precipice.study.ensemble_storage import FILES
from precipice.study.ensemble_table import rows


@pytest.fixture(scope="module")
def small():
    return ensemble(precision="mpfr114", perturbation_bits=53, perturbations=6,
                    lrs=["2/50", "2/60"])  # fmt: skip


def test_a_loaded_ensemble_is_the_one_saved(tmp_path, small):
    folder = small.save(tmp_path / "out")
    assert {entry.name for entry in folder.iterdir()} == FILES
    loaded = pc.load(folder)
    assert loaded == small
    assert loaded.table() == small.table()
    assert loaded.to_dict() == json.loads(json.dumps(small.to_dict()))
    assert_is_the_run(loaded, 3, *FIG6[:2])
    assert small.save(folder) == folder  # the same may be replaced


def test_an_ensemble_with_seeds_and_draws_is_loaded_too(tmp_path):
    found = ensemble(precision="bfloat16:sr", rounding_seed=2, init=pc.init.pytorch(),
                     seeds=[1, 2], perturbations=2, blowup_factor=float("inf"), steps=20,
                     record=pc.Record(sharpness=4))  # fmt: skip
    loaded = pc.load(found.save(tmp_path / "out"))
    assert loaded == found
    for member in range(4):
        assert loaded.member(member) == found.member(member)
        assert_is_the_run(loaded, member, *FIG6[:2])


def test_other_results_are_never_replaced(tmp_path, small):
    small.save(tmp_path / "out")
    other = ensemble(steps=2)
    with pytest.raises(InvalidArgument, match="^out = .*it holds other results"):
        other.save(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(InvalidArgument, match="^out = .*it holds notes.txt"):
        small.save(tmp_path / "out")


@pytest.mark.parametrize("damage", ["version", "settings", "series", "steps", "outcome"])
def test_damaged_results_are_refused(tmp_path, small, damage):
    folder = small.save(tmp_path / "out")
    path = folder / "ensemble.json"
    document = json.loads(path.read_text())
    if damage == "version":
        document["schema_version"] = 99
    elif damage == "settings":
        del document["settings"]["lrs"]
    elif damage == "series":
        (folder / "series.npz").unlink()
    else:
        with np.load(folder / "series.npz") as archive:
            arrays = {name: archive[name] for name in archive.files}
        arrays |= {"steps": arrays["steps"][1:]} if damage == "steps" else {
            "outcome": np.array(["exploded"] * small.size)}  # fmt: skip
        np.savez(folder / "series.npz", **arrays)
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidArgument, match="^directory = "):
        pc.load(folder)


def test_equality_is_of_every_bit(small):
    again = ensemble(precision="mpfr114", perturbation_bits=53, perturbations=6,
                     lrs=["2/50", "2/60"], workers=1)  # fmt: skip
    assert again == small
    again.sharpness.value[3, 5] = np.nextafter(again.sharpness.value[3, 5], 2)
    assert again != small
    assert small != 1


def test_the_table_says_shares_and_spreads(small):
    table = small.table()
    lines = table.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[2].split()[:4] == ["2/50", "blowup", "6/6", "1.00"]
    assert "12 members: 2 step sizes × 6 starts moved by up to a unit in the last of 53 places" in \
        " ".join(lines)  # fmt: skip


def test_the_greatest_loss_of_a_row():
    record = pc.Record(loss=1, window=3)
    small = ensemble(precision="float64", record=record, steps=10, blowup_factor=None)
    greatest = small.loss.value.max(axis=1)
    assert [row["greatest_loss"] for row in rows(small)] == greatest.tolist()
    lost = ensemble(lrs=["9"], record=record, blowup_factor=None)
    assert all(np.isnan(row["greatest_loss"]) for row in rows(lost))
    halt = threading.Event()
    halt.set()
    stopped = prepare_ensemble(*FIG6, **keywords(record=record)).run(stop=halt)
    assert all(row["greatest_loss"] is None for row in rows(stopped))


@pytest.mark.parametrize(
    "record",
    [
        pc.Record(),
        pc.Record(window=50),
        pc.Record(loss=5),
        pc.Record(sharpness=2),
        pc.Record(sharpness=1, loss=1),
    ],
)
@pytest.mark.parametrize("perturbations", [2, 80])
def test_a_figure_shows_what_there_is(tmp_path, record, perturbations):
    found = ensemble(precision="mpfr114", perturbation_bits=30, perturbations=perturbations,
                     record=record)  # fmt: skip
    figure = found.plot(tmp_path / "figure.png")
    panels = bool(record.loss or record.window) + bool(record.sharpness) + 1
    assert len(figure.axes) == panels
    bars = sum(bar.get_height() for bar in figure.axes[-1].patches)
    assert bars == np.sum(found.blowup_step >= 0) + np.sum(
        (found.drop >= 0) & (found.outcomes != "blowup")
    )
    assert (tmp_path / "figure.png").stat().st_size > 10000
