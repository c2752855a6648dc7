"""Figures 4 and 9: what is run, what is claimed, and that real images bear the claims out."""

from __future__ import annotations

import dataclasses
import json
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from constructed import make_run
from precipice.errors import InvalidArgument
from precipice.reproduce.yoo2025_figures import BatchAndStepSize, Curve, batch_and_step_size
from precipice.results import Series

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PRECIPICE_DATA", ROOT.parent / "shared" / "data"))
CATS_AND_DOGS = DATA / "cifar10-cat-dog.npz"
SMALL = {"samples": 8, "batches": (2, 4), "learning_rates": ("2/2000", "2/4000"), "steps": 12}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 20 random images: cats and dogs."""
    images = np.random.default_rng(0).integers(0, 256, size=(20, 32, 32, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("data") / "images.npz"
    np.savez(path, images=images, labels=np.tile([3, 5], 10))
    return path


@pytest.fixture(scope="module")
def small(archive: Path) -> BatchAndStepSize:
    return batch_and_step_size(archive, **SMALL)


def made(batch: int, lr: str, sharpness: float, rise: float) -> Curve:
    """Return a curve that ends at this sharpness and has risen so far from C = -1."""
    step = np.array([0, 10])
    run = dataclasses.replace(
        make_run(),
        sharpness=Series("sharpness", step, np.array([300.0, sharpness])),
        layer_imbalance=Series("layer_imbalance", step, np.array([-1.0, rise - 1.0])),
    )
    return Curve(batch, Fraction(lr), run)


def figure_of(*curves: Curve) -> BatchAndStepSize:
    return BatchAndStepSize(curves, {"samples": 100, "initialisation": {"seed": 0}})


def test_every_batch_runs_at_the_largest_rate_and_the_extremes_at_the_others(
    small: BatchAndStepSize,
) -> None:
    assert [(curve.batch, str(curve.lr), curve.run.steps) for curve in small.curves] == [
        (2, "1/1000", 12), (4, "1/1000", 12), (8, "1/1000", 12),
        (2, "1/2000", 24), (8, "1/2000", 24),
    ]  # fmt: skip
    ends = [curve.points("sharpness")[0][-1] for curve in small.curves]
    np.testing.assert_allclose(ends, 12 / 1000)
    starts = {curve.points("layer_imbalance")[1][0] for curve in small.curves}
    assert len(starts) == 1


def test_the_batches_follow_the_seed(archive: Path, small: BatchAndStepSize) -> None:
    again = batch_and_step_size(archive, **SMALL, workers=1)
    assert again.numbers() == small.numbers()
    other = batch_and_step_size(archive, **SMALL, seed=2)
    assert other.numbers() != small.numbers()


def test_progress_counts_the_steps_of_all_runs(archive: Path) -> None:
    seen: list[tuple[int, int]] = []
    batch_and_step_size(archive, **SMALL, workers=1, report=lambda *done: seen.append(done))
    assert seen[-1] == (84, 84)
    assert all(done <= total for done, total in seen)


def test_claims_are_read_off_the_ends() -> None:
    right = figure_of(
        made(10, "2/600", 400, 0.2), made(50, "2/600", 450, 0.1), made(100, "2/600", 500, 0.002),
        made(10, "2/1200", 460, 0.08), made(100, "2/1200", 500.2, 0.001),
    )  # fmt: skip
    assert set(right.claims().values()) == {True}
    wrong = figure_of(
        made(10, "2/600", 460, 0.2), made(50, "2/600", 450, 0.3), made(100, "2/600", 500, 0.1),
        made(10, "2/1200", 455, 0.25), made(100, "2/1200", 520, 0.001),
    )  # fmt: skip
    assert set(wrong.claims().values()) == {False}
    assert "NO   a smaller batch sharpens less" in wrong.text()
    assert "yes  a smaller batch sharpens less" in right.text()


def test_text_and_json_say_what_was_run(small: BatchAndStepSize) -> None:
    lines = small.text().splitlines()
    assert lines[1].split()[:3] == ["2", "2/2000", "12"]
    assert max(map(len, lines)) <= 100
    document = json.loads(json.dumps(small.to_dict(), allow_nan=False))
    assert document["settings"]["problem"]["samples"] == 8
    assert document["runs"][0]["sharpness"] == small.curves[0].sharpness


def test_the_drawing_has_a_curve_for_every_run(small: BatchAndStepSize) -> None:
    panels = small.figure().axes
    labels = [[line.get_label() for line in axes.get_lines()] for axes in panels]
    assert labels[0] == ["B = 2", "B = 4", "B = N, descent"]
    assert labels[1] == ["η = 2/2000", "η = 2/4000", "descent, every η", "_again"]
    assert [len(names) for names in labels] == [3, 4, 3, 4]
    time, imbalance = panels[2].get_lines()[0].get_data()
    np.testing.assert_array_equal(time, small.curves[0].points("layer_imbalance")[0])
    np.testing.assert_array_equal(imbalance, small.curves[0].points("layer_imbalance")[1])


def test_figure_and_numbers_are_written(small: BatchAndStepSize, tmp_path: Path) -> None:
    written = small.write(tmp_path)
    assert [path.name for path in written] == [
        "yoo2025-figures-4-9.png", "yoo2025-figures-4-9.json",
    ]  # fmt: skip
    assert json.loads(written[1].read_text(encoding="utf-8")) == json.loads(
        json.dumps(small.to_dict())
    )
    assert written[0].read_bytes()[:4] == b"\x89PNG"


def test_a_run_that_blows_up_is_said_and_claims_nothing(archive: Path) -> None:
    found = batch_and_step_size(archive, **{**SMALL, "learning_rates": ("2/50", "2/100")})
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert "blowup" in {run["outcome"] for run in document["runs"]}
    assert False in found.claims().values()
    assert max(map(len, found.text().splitlines())) <= 100
    assert found.figure().axes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batches": (4, 2)}, r"^batches = .*: must be batches ascending and learning rates desc"),
        ({"batches": (8,)}, r"^batches = 8: must be an integer from 1 to 7$"),
        ({"learning_rates": ()}, r"^batches = .*: must be batches ascending and learning rates"),
        ({"learning_rates": ("2/4000", "2/2000")}, r"^batches = .*: must be batches ascending"),
        ({"learning_rates": ("2/2000", "2/2170")}, r"^steps = 12: must make a whole number of st"),
        ({"samples": 30}, r"^n = 30: must be at most 20"),
        ({"steps": 0}, r"^steps = 0: must be an integer of at least 1$"),
    ],
)
def test_bad_requests_are_refused(archive: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        batch_and_step_size(archive, **{**SMALL, **changes})  # type: ignore[arg-type]


@pytest.mark.skipif(
    not CATS_AND_DOGS.exists(), reason=f"needs CIFAR-10's cats and dogs at {CATS_AND_DOGS}"
)
@pytest.mark.parametrize("seed", [1, 2])
def test_real_images_bear_the_claims_out(seed: int) -> None:
    found = batch_and_step_size(
        CATS_AND_DOGS, samples=100, batches=(10, 25, 50), learning_rates=("2/600", "2/1200"),
        steps=600, seed=seed,
    )  # fmt: skip
    assert found.claims() == dict.fromkeys(found.claims(), True)
    for curve in found.curves:
        assert curve.run.sharpness is not None
        assert curve.run.sharpness.value.max() < 2 / curve.lr
