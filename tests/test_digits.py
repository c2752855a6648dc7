"""No digit beyond the residual."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from precipice.digits import supported, supported_value
from precipice.results import Series
from precipice.sharpness_digits import SharpnessDigits


@pytest.mark.parametrize(
    ("value", "residual", "text"),
    [
        (49.1234567, None, "49.1235"),
        (49.1234567, 0.0, "49.1235"),
        (49.1234567, 1e-9, "49.1235"),
        (49.1234567, 0.004, "49.12"),
        (49.1034567, 0.004, "49.10"),
        (49.1234567, 0.006, "49.1"),
        (49.1234567, 0.3, "49"),
        (49.1234567, 4.0, "5e+01"),
        (49.1234567, 6.0, "0±6e+01"),
        (-0.17448, 1.2e-5, "-0.1745"),
        (123456.0, 300.0, "1.23e+05"),
        (99.96, 0.04, "100.0"),
        (1.5e-200, 2e-202, "1.5e-200"),
        (0.0, 1e-12, "0"),
        (0.0, 3.0, "0±3"),
        (3.2, math.inf, "0±inf"),
        (3.2, math.nan, "0±inf"),
        (math.nan, 1.0, "nan"),
        (math.inf, 1.0, "inf"),
    ],
)
def test_text_stops_where_the_residual_begins(value, residual, text):
    assert supported(value, residual) == text


def test_the_true_value_is_within_a_unit_of_the_last_digit():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        value = float(rng.standard_normal() * 10.0 ** rng.integers(-12, 12))
        residual = float(abs(value) * 10.0 ** rng.uniform(-17, 2))
        true = value + residual * rng.uniform(-1, 1)
        text = supported(value, residual, 17, zeros=True)
        if text.startswith("0±"):
            assert abs(true) <= float(text[2:])
            continue
        shown = Decimal(text)
        unit = Decimal(1).scaleb(shown.as_tuple().exponent)
        assert abs(Decimal(true) - shown) <= unit * Decimal("1.0000001")
        # Neither more digits nor one too few: the next place is not supported.
        assert unit / 10 < 2 * Decimal(residual) or len(shown.as_tuple().digits) == 17


def test_values_lose_their_unsupported_digits():
    assert supported_value(49.1234567, 0.004) == 49.12
    assert supported_value(49.1234567, None) == 49.1234567
    assert supported_value(123456.0, 300.0) == 123000.0
    assert math.isnan(supported_value(3.0, 5.0))
    assert math.isnan(supported_value(math.nan, 1.0))


def test_digits_are_those_of_the_step():
    series = Series(
        "sharpness", np.array([0, 1, 2]), np.ones(3), residual=np.array([1e-3, 1e-2, 1e-9])
    )
    digits = SharpnessDigits(series)
    assert digits.text(1.23456789, 0, 6) == "1.2"  # a pair of steps: the worse of the two
    assert digits.text(1.23456789, 2, 6) == "1.23457"
    assert digits.last() == (1.0, 1e-9)
    assert SharpnessDigits(None).last() is None
    assert SharpnessDigits(None).text(1.23456789, 0, 6) == "1.23457"
