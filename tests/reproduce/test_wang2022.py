"""Wang's figures in the small: what is run, what is said of it, and real images smaller still."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from precipice.analysis import find_phases
from precipice.errors import InvalidArgument
from precipice.reproduce.figures import ReproducedFigure
from precipice.reproduce.wang2022 import FIGURES
from precipice.reproduce.wang2022_gamma import GammaConstant, gamma_constants
from precipice.reproduce.wang2022_labels import LabelDirections, label_directions
from precipice.reproduce.wang2022_phases import FourPhases, four_phases
from precipice.results import Outcome

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PRECIPICE_DATA", ROOT.parent / "shared" / "data"))
PLANES_AND_CARS = DATA / "cifar10-airplane-automobile.npz"
needs_images = pytest.mark.skipif(
    not PLANES_AND_CARS.exists(), reason=f"needs CIFAR-10's classes 0 and 1 at {PLANES_AND_CARS}"
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 24 random images, airplanes and automobiles."""
    images = np.random.default_rng(0).integers(0, 256, size=(24, 32, 32, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("data") / "images.npz"
    np.savez(path, images=images, labels=np.tile([0, 1], 12))
    return path


@pytest.fixture(scope="module")
def phases(archive: Path) -> FourPhases:
    return four_phases(archive, samples=8, width=4, lr="2/400", steps=30)


@pytest.fixture(scope="module")
def gamma(archive: Path) -> GammaConstant:
    return gamma_constants(archive, widths=(4, 8), samples=8, lr="2/1600", steps=20, every=3)


@pytest.fixture(scope="module")
def labels(archive: Path) -> LabelDirections:
    return label_directions(archive, samples=8, width=4, position=7, steps=30)


@pytest.mark.parametrize("name", ["phases", "gamma", "labels"])
def test_every_figure_is_text_json_and_a_drawing(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found: ReproducedFigure = request.getfixturevalue(name)
    assert max(map(len, found.text().splitlines())) <= 100
    drawn, numbers = found.write(tmp_path)
    assert drawn.read_bytes()[:4] == b"\x89PNG"
    document = json.loads(numbers.read_text(encoding="utf-8"))
    assert document["figure"] == found.name == drawn.stem
    assert document["settings"]["paper"].startswith("Wang, Li and Li 2022")


def test_every_figure_has_its_number() -> None:
    assert list(FIGURES) == ["1-3", "12", "20"]


def test_the_phases_are_those_of_the_recorded_curves(phases: FourPhases) -> None:
    rows = phases.run.quantities
    assert rows is not None
    expected = find_phases(
        rows.step, rows["gram_sharpness"], rows["residual_norm2"] / 8, threshold=400
    )
    assert phases.phases.intervals == expected.intervals
    assert phases.numbers()["threshold"] == pytest.approx(400)
    np.testing.assert_allclose(rows["residual_norm2"] / 8, phases.run.loss.value, rtol=1e-10)


def test_a_run_that_blows_up_is_still_a_document(archive: Path) -> None:
    found = four_phases(archive, samples=8, width=4, lr="2/40", steps=60)
    assert found.run.outcome is Outcome.BLOWUP
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.figure().axes
    assert found.text()


def test_the_assumptions_numbers_are_those_of_the_columns(phases: FourPhases) -> None:
    numbers = phases.numbers()["assumptions"]
    assert len(numbers) == 9
    rows = phases.run.quantities
    assert rows is not None
    largest = numbers["3.7: largest η λ₂, to be below 1"]["whole run"]
    assert largest == pytest.approx(rows["lambda_2"].max() / 200, rel=1e-4)
    for label, values in numbers.items():
        assert f"{label:<52}{values['phase I']:>14.5g}" in phases.text()


def test_wangs_images_are_the_first_as_pixels_over_255(phases: FourPhases) -> None:
    provenance = phases.settings["problem"]["provenance"]
    assert (provenance["subset"], provenance["standardise"]) == ("first", "1/255")
    assert provenance["classes"] == ["airplane", "automobile"]
    assert phases.settings["model"]["scale"] == "none"


def test_the_constant_is_the_largest_of_the_recorded_norms(gamma: GammaConstant) -> None:
    for width, run, constant in zip(gamma.widths, gamma.runs, gamma.constants(), strict=True):
        rows = run.quantities
        assert rows is not None
        assert rows.step.tolist() == [*range(0, 20, 3), 20]
        bound = 2 * width * rows.residuals["gamma_norm"].max()
        assert constant.value == pytest.approx(width * rows["gamma_norm"].max(), abs=bound)
    assert gamma.settings["run"]["init"]["name"] == "symmetric_gaussian"
    assert "symmetric_gaussian" in gamma.text()
    assert gamma.numbers()["papers_constant"] == 24


def with_ends(labels: LabelDirections, ends: list[float]) -> LabelDirections:
    """Return the figure of runs that converged and whose sharpness ends at these multiples."""
    runs = {}
    for (name, run), end in zip(labels.runs.items(), ends, strict=True):
        value = run.sharpness.value.copy()
        value[-1] = end * value[0]
        sharpness = dataclasses.replace(run.sharpness, value=value)
        runs[name] = dataclasses.replace(run, sharpness=sharpness, outcome=Outcome.CONVERGED)
    return dataclasses.replace(labels, runs=runs)


def test_the_claims_are_read_off_the_ends(labels: LabelDirections) -> None:
    assert list(labels.runs) == ["images", "random labels", "labels v_1", "labels v_7"]
    assert set(with_ends(labels, [2, 3, 1, 5]).claims().values()) == {True}
    assert list(with_ends(labels, [2, 6, 3, 5]).claims().values()) == [True, False, False]
    unfinished = dataclasses.replace(
        labels, runs={n: dataclasses.replace(r, outcome=Outcome.MAX_STEPS)
                      for n, r in labels.runs.items()},
    )  # fmt: skip
    assert not unfinished.claims()["every run reached the loss"]
    assert with_ends(labels, [2, 3, 1, 5]).degrees()["labels v_7"] == pytest.approx(5)


def test_the_moments_are_those_of_all_images_there_are(labels: LabelDirections) -> None:
    problems = labels.settings["problems"]
    assert problems["labels v_7"]["provenance"]["like_n"] == labels.settings["images"] == 24
    data = {name: problems[name]["provenance"]["seed"] for name in problems if name != "images"}
    assert set(data.values()) == {0}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (functools.partial(four_phases, samples=26), r"^n = 26: must be at most 24"),
        (functools.partial(four_phases, samples=8, width=0), r"^width = 0: must be an integer"),
        (functools.partial(gamma_constants, widths=(3,), samples=8), r"^width = 3: must be even"),
        (functools.partial(gamma_constants, widths=()), r"^widths = \[\]: must hold at least one"),
        (functools.partial(label_directions, samples=8, position=9), r"^labels = eigenvector:9"),
    ],
)
def test_bad_requests_are_refused(archive: Path, build: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        build(archive)


@needs_images
def test_real_images_show_the_four_phases() -> None:
    found = four_phases(PLANES_AND_CARS, samples=40, width=20, lr="2/700", steps=400)
    names = [one.phase for one in found.phases.intervals]
    assert names[:9] == ["I", "II", "III", "IV", "I", "II", "III", "IV", "I"]
    assert found.anomalies.fraction < 0.05
    assert found.assumptions.second_eigenvalue.value < 1
    assert found.assumptions.alignment.smallest.value > 0.98
    assert found.sharpening.residual.smaller == 1
    assert found.sharpening.residual.median < 0.01


@needs_images
def test_real_images_keep_gamma_below_a_constant() -> None:
    found = gamma_constants(
        PLANES_AND_CARS, widths=(8, 16), samples=40, lr="2/1620", steps=1000, every=1
    )
    assert all(entry["catapults"] > 0 for entry in found.numbers()["widths"])
    assert all(0 < constant.value < 24 for constant in found.constants())


@needs_images
def test_real_images_order_the_labels_directions() -> None:
    found = label_directions(
        PLANES_AND_CARS, samples=40, width=30, position=38, tolerance=0.2, steps=5000
    )
    assert found.claims() == dict.fromkeys(found.claims(), True)
