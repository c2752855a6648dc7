"""Descriptions of models and losses."""

from __future__ import annotations

import numpy as np
import pytest

from precipice import losses
from precipice.errors import InvalidArgument
from precipice.models import Minimalist


def test_shapes_follow_depth_and_features() -> None:
    assert Minimalist().depth == 2
    assert Minimalist(depth=5).shapes(7) == {"u": (7,), "v": (4,)}
    assert Minimalist(depth=np.int64(3)).shapes(1) == {"u": (1,), "v": (2,)}


def test_a_description_is_read_back() -> None:
    model = Minimalist(depth=4)
    assert model.describe() == {"name": "minimalist", "depth": 4}
    assert Minimalist.from_description(model.describe()) == model


@pytest.mark.parametrize("depth", [1001, 2**62, 10**30])
def test_depth_has_a_limit(depth: int) -> None:
    with pytest.raises(InvalidArgument, match=r"^depth = .*: must be an integer from 2 to 1000$"):
        Minimalist(depth=depth)


@pytest.mark.parametrize("depth", [1, 0, -3, 2.0, "2", None, True])
def test_depth_is_an_integer_of_at_least_two(depth: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^depth = .*: must be an integer of at least 2$"):
        Minimalist(depth=depth)  # type: ignore[arg-type]


@pytest.mark.parametrize("description", [{}, {"name": "mlp", "depth": 2}, {"name": "minimalist"}])
def test_another_models_description_is_refused(description: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument, match=r"^model = .*: must have name"):
        Minimalist.from_description(description)


@pytest.mark.parametrize(
    ("name", "curvature", "kappa"),
    [("half_mean", 1 / 5, 1 / 10), ("mean", 2 / 5, 1 / 5), ("half_sum", 1, 0.5), ("sum", 2, 1)],
)
def test_loss_factors(name: str, curvature: float, kappa: float) -> None:
    assert losses.curvature_factor(name, 5) == curvature
    assert losses.kappa(name, 5) == kappa
    # The Hessian of kappa (v - y)² in v is 2 kappa: c_L is the curvature of the loss itself.
    assert losses.curvature_factor(name, 5) == 2 * losses.kappa(name, 5)


@pytest.mark.parametrize("name", ["", "mse", "Mean", None])
def test_an_unknown_loss_is_refused(name: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^loss = .*: must be one of half_mean, mean, half"):
        losses.find(name)  # type: ignore[arg-type]
