"""The description of gradient descent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import gmpy2
import pytest

from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.optimizers import GD


@pytest.mark.parametrize(
    ("lr", "expected"),
    [
        ("2/50", "1/25"),
        ("0.02", "1/50"),
        (Fraction(2, 50), "1/25"),
        (Decimal("0.04"), "1/25"),
        (0.04, "0x1.47ae147ae147bp-5"),
        (2, "0x1p+1"),
        (gmpy2.mpq(1, 3), "1/3"),
    ],
)
def test_the_learning_rate_is_exact(lr: object, expected: str) -> None:
    assert text(GD(lr=lr).exact_lr()) == expected
    assert GD(lr=lr).describe()["lr_exact"] == expected


def test_the_learning_rate_is_kept_as_written() -> None:
    assert GD(lr="2/50").lr == "2/50"
    assert GD("2/50").describe() == {"name": "gd", "lr": "2/50", "lr_exact": "1/25"}


@pytest.mark.parametrize("lr", ["2/50", 0.04, Fraction(2, 50), gmpy2.mpfr("0.1", 200)])
def test_a_description_gives_back_the_same_number(lr: object) -> None:
    again = GD.from_description(GD(lr=lr).describe())
    assert again.exact_lr() == GD(lr=lr).exact_lr()


def test_a_description_gives_back_the_same_text() -> None:
    assert GD.from_description(GD(lr="2/50").describe()).lr == "2/50"


@pytest.mark.parametrize("lr", [0, "0", -0.1, "-2/50", "-0.0"])
def test_the_learning_rate_is_positive(lr: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^lr = .*: must be positive$"):
        GD(lr=lr)


@pytest.mark.parametrize("lr", ["fast", "", "2/0", float("nan"), float("inf"), None, True])
def test_the_learning_rate_is_a_finite_number(lr: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^lr = .*: must "):
        GD(lr=lr)


def test_another_optimizers_description_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"^optimizer = .*: must have name"):
        GD.from_description({"name": "sgd", "lr_exact": "0x1p-1"})
