"""The cost model of the CUDA path: its arithmetic, and what it says of the kept counts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cuda_cost_model import CASES, GPUS, H100, Case, Count, gpu_named, kept, predict, weigh

CASE = Case(2, 100, "float64", "blocked", "block", 32, 4096, 200)


def test_flops_are_those_published_without_fused_operations():
    """33.5 and 67 TFLOPS at 1.98 GHz count two for a fused one."""
    for precision, published in [("float64", 33.5e12), ("float32", 67e12)]:
        at_most = H100.flops(precision) * 1.98 / 1.755
        assert at_most == pytest.approx(published / 2, rel=0.02)


def test_names_of_devices():
    assert gpu_named("NVIDIA H100 80GB HBM3") is GPUS["H100"]
    assert gpu_named("cuda: NVIDIA H100 PCIe") is GPUS["H100 PCIe"]
    assert gpu_named("GeForce") is None


def test_a_step_is_what_its_busiest_units_take():
    cycles, waits = weigh({"f64": 10.0, "mov": 5.0}, H100, far=False)
    assert (cycles, waits) == (20.0, 10 * 8 + 5 * 4)
    assert weigh({"mov": 100.0, "f64": 10.0}, H100, far=False)[0] == 110


def test_blocks_that_do_not_fit_at_once_wait():
    few, many = (
        predict(CASE, Count({"mov": 100.0}, {"mov": 100.0}, 0, registers=r)) for r in (40, 240)
    )
    assert few.issue == many.issue
    assert many.latency == 4 * few.latency


def test_every_case_has_kept_counts():
    counts = kept()
    assert set(counts) == {case.name for case in CASES}
    for case in CASES:
        prediction = predict(case, counts[case.name])
        assert 0 < prediction.seconds < 1e-3
        assert (prediction.barriers > 0) == (case.team == "grid")
