"""What a run is expected to cost: right to a factor of a few, and telling formats apart."""

from __future__ import annotations

import precipice as pc
from precipice.cost import multiply_add_nanoseconds, number_bytes


def nanoseconds(precision, order="sequential", seed=None):
    return multiply_add_nanoseconds(pc.Arithmetic.of(precision, order, seed))


def test_narrow_formats_cost_a_few_times_their_carrier():
    assert 1 < nanoseconds("float16") / nanoseconds("float32") <= 4
    assert nanoseconds("bfloat16", "kahan") > nanoseconds("bfloat16")
    assert nanoseconds("bfloat16/accumulate=float32") > 50 * nanoseconds("bfloat16")
    assert nanoseconds("bfloat16:sr", seed=0) > nanoseconds("bfloat16:rz")


def test_memory_of_a_number():
    sizes = {"float16": 4, "float32": 4, "p20_emin-99_emax99": 8, "float64": 8, "mpfr128": 48}
    assert {name: number_bytes(pc.Arithmetic.of(name)) for name in sizes} == sizes
    assert number_bytes(pc.Arithmetic.of("float32/accumulate=mpfr256")) == 64
