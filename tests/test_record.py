"""Cadences."""

from __future__ import annotations

import numpy as np
import pytest

from precipice.errors import InvalidArgument
from precipice.record import Record


def test_nothing_is_recorded_unless_named() -> None:
    assert Record(loss=3, parameters=np.int64(10)).describe() == {
        "loss": 3,
        "sharpness": 0,
        "parameters": 10,
        "layer_imbalance": 0,
        "eigenvalues": 0,
        "quantities": 0,
        "window": 0,
        "top": 1,
    }


@pytest.mark.parametrize("series", ["loss", "sharpness", "parameters", "layer_imbalance"])
@pytest.mark.parametrize("cadence", [-1, 1.0, "1", None, True])
def test_a_cadence_is_a_number_of_steps(series: str, cadence: object) -> None:
    with pytest.raises(InvalidArgument, match=rf"^record.{series} = .*: must be an integer of at"):
        Record(**{series: cadence})  # type: ignore[arg-type]
