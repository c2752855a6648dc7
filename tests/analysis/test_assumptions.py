"""Wang's assumptions as numbers: on columns made by hand and on a run."""

from __future__ import annotations

import numpy as np
import pytest

from precipice.analysis import assumptions, find_phases
from precipice.errors import InvalidArgument
from two_layer_columns import LR, THRESHOLD, WIDTH, columns, problem


def test_first_order_counts_the_ratio_of_the_parts():
    found = assumptions.first_order([0, 1, 2, 3], [4, -2, 1, 0], [1, 1, -3, 0])
    assert found.largest == (3, 2)
    assert found.median == 0.5
    assert found.smaller == pytest.approx(2 / 3)
    assert assumptions.first_order([5], [0], [1]).largest == (np.inf, 5)


def test_in_a_run_what_the_first_order_leaves_is_the_gradients_square():
    """Eq. 7: the higher order of the update of ‖A‖² is η² ‖∂L/∂A‖²."""
    run = columns()
    higher = run["norm_A2_higher_order"]
    np.testing.assert_allclose(higher[:-1], run["second_order_A2"][:-1], atol=1e-13)
    check = assumptions.first_order(run["step"], run["norm_A2_first_order"], higher)
    assert check.smaller > 0.9
    assert check.median < 0.1


def test_in_a_run_the_first_order_is_nearly_everything_while_it_sharpens():
    run = columns()
    phases = find_phases(run["step"], run["gram_sharpness"], run["loss"], threshold=THRESHOLD)
    one = np.append(phases.phase == 1, False)
    sharpening, elsewhere = (
        assumptions.first_order(
            run["step"][where], run["residual_first_order"][where],
            run["residual_higher_order"][where],
        )
        for where in (one, ~one)
    )  # fmt: skip
    assert sharpening.median < 0.05
    assert sharpening.smaller > 0.99
    assert elsewhere.largest.value > sharpening.median


def test_alignment_is_the_smallest_cosine_and_the_largest_turn_of_a_step():
    found = assumptions.alignment(
        [0, 1, 2, 5, 6], [1, -0.9, 0.8, 0.85, 0.9], [np.nan, -0.9, 0.95, 0.5, 0.97]
    )
    assert found.smallest == (0.8, 2)
    # Step 5's row before is step 2: that is no turn of a step.
    assert found.epsilon_2 == (pytest.approx(0.1), 1)
    assert np.isnan(assumptions.alignment([0, 5], [1, 0.9], [np.nan, 0.9]).epsilon_2.value)


def test_all_the_numbers_of_a_run():
    run = columns()
    found = assumptions.check_assumptions(run["step"], run, lr=LR, width=WIDTH)
    assert found.residual.largest.value > found.residual.median > 0
    assert found.norm.smaller > 0.9
    assert 0.9 < found.alignment.smallest.value < 1
    assert 0 < found.alignment.epsilon_2.value < 0.1
    assert found.second_eigenvalue.value == LR * run["lambda_2"].max()
    assert found.gamma.value == pytest.approx(WIDTH * run["gamma_norm"].max())
    assert run["gamma_norm"][found.gamma.step] == run["gamma_norm"].max()


def test_the_second_eigenvalue_is_measured_in_units_of_one_over_lr():
    assert assumptions.second_eigenvalue([3, 4, 9], [1, 5, 2], lr=0.1) == (0.5, 4)
    run = columns()
    largest = assumptions.second_eigenvalue(run["step"], run["lambda_2"], lr=LR)
    assert 0.05 < largest.value < 1
    assert largest.value == LR * run["lambda_2"][largest.step]


def test_ratios_of_the_spectrum():
    assert assumptions.spectrum_ratios([1, 8, 4]) == (4, 2, 2)
    assert assumptions.spectrum_ratios([38.0, 1.0, 0.9, 1e-15]) == (38, 1, 38)
    assert assumptions.spectrum_ratios([8, 4, 1e-3], tolerance=0.01) == (2, 1, 2)
    X = problem().X
    singular = np.linalg.svd(X, compute_uv=False)
    found = assumptions.spectrum_ratios(np.linalg.eigvalsh(X @ X.T))
    assert found.first == pytest.approx((singular[0] / singular[1]) ** 2)
    assert found.position == 1


def test_gamma_is_multiplied_by_the_width():
    assert assumptions.gamma_constant([0, 10, 20], [0, 0.5, 0.25], width=40) == (20, 10)
    assert assumptions.gamma_constant([0, 1], [np.nan, 0.5], width=WIDTH).step == 1


def test_broken_columns_are_refused():
    for check in (
        lambda: assumptions.second_eigenvalue([0, 1], [1, 2, 3], lr=1),
        lambda: assumptions.gamma_constant([1, 0], [1, 2], width=1),
        lambda: assumptions.alignment([0], [np.nan], [1]),
        lambda: assumptions.first_order([], [], []),
        lambda: assumptions.gamma_constant([0], [1], width=0),
    ):
        with pytest.raises(InvalidArgument):
            check()
    with pytest.raises(InvalidArgument, match=r"^eigenvalues = 1 above zero: must have at least"):
        assumptions.spectrum_ratios([1, 0])
