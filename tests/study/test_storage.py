"""Comparisons on disk: whole or absent, equal when read back, never on top of something else."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from constructed import make_comparison, make_run, three_runs
from precipice import plots
from precipice.errors import InvalidArgument
from precipice.results import Outcome
from precipice.study import directories
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


def test_the_sign_of_a_nan_is_no_difference():
    runs, twins = three_runs(), three_runs()
    runs[0].sharpness.value[7], twins[0].sharpness.value[7] = np.nan, -np.nan
    assert np.signbit(runs[0].sharpness.value[7]) != np.signbit(twins[0].sharpness.value[7])
    assert make_comparison(*runs) == make_comparison(*twins)


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
    monkeypatch.setattr(directories, "_exchange", lambda one, other: False)
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


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A comparison saved once: drawing its figure is what takes time."""
    return make_comparison(make_run()).save(tmp_path_factory.mktemp("written") / "out")


@pytest.fixture
def saved(written, tmp_path):
    """A copy of it to damage."""
    return shutil.copytree(written, tmp_path / "out")


def damage_document(out, *keys, value=None, remove=False):
    """Change one entry of a saved document."""
    document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    entry = document
    for key in keys[:-1]:
        entry = entry[key]
    if remove:
        del entry[keys[-1]]
    else:
        entry[keys[-1]] = value
    (out / "comparison.json").write_text(json.dumps(document), encoding="utf-8")


HEADER_DAMAGE = [
    (("problem",), 3),
    (("problem",), []),
    (("problem", "provenance"), "a paper"),
    (("problem", "name"), None),
    (("model",), "minimalist"),
    (("model", "depth"), "2"),
    (("optimizer",), None),
    (("settings",), [1]),
    (("settings", "init"), "constant"),
    (("settings", "steps"), 2.5),
    (("theory",), None),
    (("theory", "threshold"), "50"),
    (("theory", "threshold"), True),
    (("runs",), 3),
    (("runs",), []),
    (("runs",), {"0": {}}),
    (("runs", 0), "float64"),
    (("runs", 0, "outcome"), None),
    (("runs", 0, "exact"), []),
]
RUN_DAMAGE = [
    (("lr",), "0x1p+99999"),
    (("lr",), "nan"),
    (("lr",), "-0x1p+0"),
    (("lr",), 0.5),
    (("steps",), "200"),
    (("steps",), -1),
    (("seconds",), None),
    (("settings",), []),
    (("series",), 3),
    (("series",), ["warmth"]),
    (("parameters",), ["0x1p+0"]),
    (("parameters", "u"), "0x1p+0"),
    (("parameters", "u", 0), 1),
    (("outcome",), "victory"),
    (("precision",), "float65"),
    (("precision",), ["float64"]),
    (("trajectory",), "long"),
    (("trajectory", "texts", "u"), [["0x1p+0"]]),
    (("trajectory", "texts"), 3),
    (("trajectory", "bits"), "53"),
]


@pytest.mark.parametrize(("keys", "value"), HEADER_DAMAGE)
def test_documents_of_another_shape_are_neither_read_nor_overwritten(saved, keys, value):
    comparison = make_comparison(make_run())
    damage_document(saved, *keys, value=value)
    with pytest.raises(InvalidArgument, match=r"directory = .*must hold undamaged results \("):
        load(saved)
    assert not holds_finished_comparison(saved)
    with pytest.raises(InvalidArgument, match=r"out = .*; it holds other results"):
        check_destination(saved, comparison)


@pytest.mark.parametrize(("keys", "value"), RUN_DAMAGE)
def test_runs_of_another_shape_are_not_read(saved, keys, value):
    damage_document(saved, "runs", 0, "exact", *keys, value=value)
    with pytest.raises(InvalidArgument, match=r"directory = .*must hold undamaged results \("):
        load(saved)


@pytest.mark.parametrize(
    "keys",
    [("settings", "loss"), ("settings", "sharpness_definition"), ("theory", "predicted_sharpness"),
     ("optimizer", "lr"), ("problem", "presets"), ("problem", "presets", "loss"),
     ("settings", "init", "name"), ("runs", 0, "exact")],
)  # fmt: skip
def test_documents_that_lack_an_entry_are_not_read(saved, keys):
    damage_document(saved, *keys, remove=True)
    with pytest.raises(InvalidArgument, match=keys[-1]):
        load(saved)


@pytest.mark.parametrize(
    "text", ["[]", "3", "null", '"comparison"', "{", "", "[" * 100_000, '{"runs": 3}', "\ud800"]
)
def test_what_is_no_document_is_no_comparison(saved, text):
    comparison = make_comparison(make_run())
    (saved / "comparison.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidArgument, match="must hold a saved comparison"):
        load(saved)
    with pytest.raises(InvalidArgument, match="other results"):
        check_destination(saved, comparison)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("float64.loss.step", lambda a: a[:-1]),
        ("float64.loss.step", lambda a: a[::-1]),
        ("float64.loss.step", lambda a: a.astype(float)),
        ("float64.loss.log2", lambda a: a[:5]),
        ("float64.sharpness.value", lambda a: a.astype(complex)),
        ("float64.sharpness.value", lambda a: a.astype(np.float32)),
        ("float64.sharpness.value", lambda a: a.reshape(1, -1)),
        ("float64.sharpness.value", lambda a: np.full(a.shape, "x")),
        ("float64.layer_imbalance.value", lambda a: a[None]),
        ("float64.parameters.step", lambda a: a[:1]),
    ],
)
def test_series_of_another_shape_are_not_read(saved, name, change):
    with np.load(saved / "series.npz") as archive:
        arrays = dict(archive)
    arrays[name] = change(arrays[name])
    np.savez(saved / "series.npz", **arrays)
    with pytest.raises(InvalidArgument, match=r"directory = .*must hold undamaged results \("):
        load(saved)


def test_theory_that_was_not_finite_is_read_and_drawn(tmp_path):
    """JSON has no infinity: such a number comes back as none."""
    comparison = make_comparison(make_run())
    comparison.theory["predicted_sharpness"] = float("inf")
    loaded = load(comparison.save(tmp_path / "out"))
    assert loaded == comparison
    assert "predicted sharpness –" in loaded.table()
    loaded.plot(tmp_path / "figure.png")


@pytest.mark.parametrize("name", ["n" * 300, "a/" + "n" * 300, "null\0byte"])
def test_a_directory_that_cannot_be_made_is_refused_at_once(tmp_path, name):
    with pytest.raises(InvalidArgument, match=r"^out = .*must be a directory one can write"):
        check_destination(tmp_path / name, make_comparison(make_run()))
    assert names(tmp_path) == set()


def test_a_circle_of_links_is_refused(tmp_path):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(InvalidArgument, match=r"^out = "):
        check_destination(tmp_path / "one" / "out", make_comparison(make_run()))


def test_the_longest_names_there_are_can_be_saved_to(tmp_path):
    comparison = make_comparison(make_run(drop=110))
    out = comparison.save(tmp_path / ("n" * 255))
    make_comparison(make_run(drop=130)).save(out)
    assert load(out) == make_comparison(make_run(drop=130))
    assert names(tmp_path) == {"n" * 255}


def test_errors_show_plain_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "afile").write_text("x")
    comparison = make_comparison(make_run())
    for path in (Path("afile"), "afile"):
        with pytest.raises(InvalidArgument, match=r"^out = afile: "):
            comparison.save(path)
        with pytest.raises(InvalidArgument, match=r"^directory = afile: "):
            load(path)
        with pytest.raises(InvalidArgument, match=r"^out = afile: must end in"):
            comparison.plot(path)
