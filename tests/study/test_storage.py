"""Comparisons on disk: whole or absent, equal when read back, never on top of something else."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from constructed import make_comparison, make_run, three_runs
from precipice import plots
from precipice.errors import InvalidArgument
from precipice.results import Outcome
from precipice.study import storage
from precipice.study.storage import FILES, check_destination, holds_finished_comparison, load


def names(folder):
    return {entry.name for entry in folder.iterdir()}


def with_outcome(run, outcome):
    run.__dict__["outcome"] = outcome
    return run


def test_load_returns_an_equal_comparison(tmp_path):
    comparison = make_comparison(*three_runs())
    out = comparison.save(tmp_path / "out")
    assert names(out) == set(FILES)
    loaded = load(out)
    assert loaded == comparison
    assert loaded.to_dict() == json.loads(json.dumps(comparison.to_dict()))
    for run, twin in zip(comparison.runs, loaded.runs, strict=True):
        assert twin.precision == run.precision
        assert twin.outcome is run.outcome
        assert twin.lr == run.lr
        assert twin.seconds == run.seconds
        assert twin.settings == run.settings
        assert twin.exact_texts() == run.exact_texts()
        assert twin.layer_imbalance.value.tobytes() == run.layer_imbalance.value.tobytes()
        assert twin.trajectory.texts == run.trajectory.texts
        np.testing.assert_array_equal(twin.trajectory.step, run.trajectory.step)
        np.testing.assert_array_equal(twin.sharpness.value, run.sharpness.value)
        np.testing.assert_array_equal(twin.loss.log2, run.loss.log2)
    blown = loaded.runs[2]
    assert np.isnan(blown.sharpness.value[-1])
    assert np.isposinf(blown.loss.value[-1])
    assert blown.events().blowup.step == 150


def test_series_that_were_not_recorded_stay_absent(tmp_path):
    run = make_run()
    for name in ("loss", "sharpness", "layer_imbalance", "trajectory"):
        run.__dict__[name] = None
    comparison = make_comparison(run)
    loaded = load(comparison.save(tmp_path / "out"))
    assert loaded == comparison
    assert loaded.runs[0].loss is None
    assert loaded.runs[0].trajectory is None


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.sharpness.value.__setitem__(7, np.nextafter(run.sharpness.value[7], 99)),
        lambda run: run.sharpness.value.__setitem__(7, np.nan),
        lambda run: run.loss.log2.__setitem__(3, -0.0),
        lambda run: run.texts["u"].__setitem__(1, "0x0p+0"),
        lambda run: run.__dict__.__setitem__("steps", 199),
        lambda run: run.trajectory.texts["v"][0].__setitem__(0, "0x1.8p+0"),
    ],
)
def test_the_smallest_difference_makes_two_comparisons_unequal(change):
    runs = three_runs()
    runs[0].loss.log2[3] = 0.0
    twins = three_runs()
    twins[0].loss.log2[3] = 0.0
    assert make_comparison(*runs) == make_comparison(*twins)
    change(twins[0])
    assert make_comparison(*runs) != make_comparison(*twins)


def test_wall_time_is_no_difference_and_other_types_are():
    run = make_run()
    run.__dict__["seconds"] = 99.0
    assert make_comparison(run) == make_comparison(make_run())
    assert make_comparison(run) != "a comparison"


def test_json_in_the_directory_is_the_document_and_has_no_nan(tmp_path):
    comparison = make_comparison(*three_runs())
    text = (comparison.save(tmp_path / "out") / "comparison.json").read_text(encoding="utf-8")

    def refuse(name):
        raise AssertionError(f"{name} in JSON")

    written = json.loads(text, parse_constant=refuse)
    for run in written["runs"]:
        assert run.pop("exact")["parameters"]["u"] == ["0x1.999999999999ap-4", "-0x0p+0"]
    assert written == json.loads(json.dumps(comparison.to_dict()))


def test_empty_and_deep_directories_are_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    comparison = make_comparison(make_run())
    for out in (tmp_path / "empty", tmp_path / "a" / "b" / "c"):
        comparison.save(out)
        assert load(out) == comparison


def test_the_same_comparison_is_replaced_and_nothing_else_is_left(tmp_path):
    out = make_comparison(make_run(drop=110)).save(tmp_path / "out")
    second = make_comparison(make_run(drop=130))
    second.save(out)
    assert load(out) == second
    assert names(tmp_path) == {"out"}


def test_without_an_exchange_the_old_directory_is_set_aside_first(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "_exchange", lambda one, other: False)
    out = make_comparison(make_run(drop=110)).save(tmp_path / "out")
    second = make_comparison(make_run(drop=130))
    second.save(out)
    assert load(out) == second
    assert names(tmp_path) == {"out"}


def test_a_directory_with_something_else_is_refused_and_kept(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("irreplaceable")
    with pytest.raises(InvalidArgument, match=r"out = .*thesis\.tex"):
        make_comparison(make_run()).save(out)
    assert (out / "thesis.tex").read_text() == "irreplaceable"
    assert names(tmp_path) == {"out"}


def test_a_stranger_beside_a_comparison_is_not_deleted(tmp_path):
    comparison = make_comparison(make_run())
    out = comparison.save(tmp_path / "out")
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InvalidArgument, match=r"notes\.txt"):
        comparison.save(out)
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("changes", [{"steps": 300}, {"loss": "mean"}, {"blowup_factor": None}])
def test_another_spec_is_refused(tmp_path, changes):
    first = make_comparison(make_run())
    out = first.save(tmp_path / "out")
    with pytest.raises(InvalidArgument, match="other results"):
        make_comparison(make_run(), **changes).save(out)
    assert load(out) == first


def test_other_precisions_are_another_spec(tmp_path):
    out = make_comparison(make_run("float64")).save(tmp_path / "out")
    with pytest.raises(InvalidArgument, match="other results"):
        make_comparison(make_run("float32")).save(out)


def test_versions_are_no_part_of_the_spec(tmp_path):
    comparison = make_comparison(make_run())
    comparison.settings["versions"] = {"mpfr": "4.0.0"}
    out = comparison.save(tmp_path / "out")
    comparison.settings["versions"] = {"mpfr": "4.2.2"}
    assert check_destination(out, comparison) == out


def test_files_with_our_names_but_not_ours_are_refused(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "comparison.json").write_text('{"runs": 3}')
    with pytest.raises(InvalidArgument, match="other results"):
        make_comparison(make_run()).save(out)


def test_a_file_the_current_directory_and_the_root_are_refused(tmp_path, monkeypatch):
    comparison = make_comparison(make_run())
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidArgument, match="it is a file"):
        check_destination(tmp_path / "file", comparison)
    with pytest.raises(InvalidArgument, match="out"):
        check_destination(tmp_path / "file" / "below", comparison)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgument, match="current directory"):
        check_destination(".", comparison)
    with pytest.raises(InvalidArgument, match="mount point"):
        check_destination("/", comparison)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_directory_without_write_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InvalidArgument, match="write"):
            check_destination(tmp_path / "out", make_comparison(make_run()))
    finally:
        tmp_path.chmod(0o700)


def test_checking_writes_nothing(tmp_path):
    target = check_destination(tmp_path / "a" / "out", make_comparison(make_run()))
    assert target == tmp_path / "a" / "out"
    assert names(tmp_path) == set()


def test_a_failure_while_writing_leaves_the_old_results_and_no_rubbish(tmp_path, monkeypatch):
    first = make_comparison(make_run(drop=110))
    out = first.save(tmp_path / "out")

    def fail(figure, path):
        raise OSError("disk full")

    monkeypatch.setattr(plots, "write_figure", fail)
    with pytest.raises(OSError, match="disk full"):
        make_comparison(make_run(drop=130)).save(out)
    with pytest.raises(OSError, match="disk full"):
        first.save(tmp_path / "new")
    assert load(out) == first
    assert names(tmp_path) == {"out"}


def test_a_link_to_a_directory_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    comparison = make_comparison(make_run())
    comparison.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "real") == comparison


def test_cancelled_results_are_not_finished(tmp_path):
    assert not holds_finished_comparison(tmp_path / "absent")
    done = make_comparison(make_run()).save(tmp_path / "done")
    assert holds_finished_comparison(done)
    cut = make_comparison(with_outcome(make_run(), Outcome.CANCELLED)).save(tmp_path / "cut")
    assert not holds_finished_comparison(cut)


def test_loading_what_is_no_comparison_says_so(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InvalidArgument, match="must hold a saved comparison"):
            load(folder)


def test_loading_another_schema_version_says_so(tmp_path):
    out = make_comparison(make_run()).save(tmp_path / "out")
    document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    document["schema_version"] = 99
    (out / "comparison.json").write_text(json.dumps(document))
    with pytest.raises(InvalidArgument, match="not 99"):
        load(out)


@pytest.mark.parametrize("damage", ["missing array", "no archive", "cut archive", "document"])
def test_loading_damaged_results_says_so(tmp_path, damage):
    out = make_comparison(make_run()).save(tmp_path / "out")
    series = out / "series.npz"
    if damage == "missing array":
        np.savez(series, other=np.zeros(1))
    elif damage == "no archive":
        series.write_bytes(b"not an archive")
    elif damage == "cut archive":
        series.write_bytes(series.read_bytes()[:200])
    else:
        document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
        del document["runs"][0]["exact"]["lr"]
        (out / "comparison.json").write_text(json.dumps(document))
    with pytest.raises(InvalidArgument, match="undamaged"):
        load(out)
