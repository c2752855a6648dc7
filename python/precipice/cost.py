"""What a run will cost: time and memory, before it starts."""

from __future__ import annotations

import math

import numpy as np

from precipice import _core
from precipice.arithmetic import Arithmetic
from precipice.formats import NAMED
from precipice.models import Minimalist, Model
from precipice.record import Record

# Nanoseconds of one rounded multiply-add on one core of a present-day x86-64 machine; right
# within a factor of two or so, which is what an estimate is for.
_NATIVE_NANOSECONDS = {
    "float32": 0.1,
    "float64": 0.2,
    "float80": 2.0,
    "float128": 80.0,
    "double_double": 11.0,
}
_MPFR_NANOSECONDS = ((53, 40.0), (128, 50.0), (256, 66.0), (512, 100.0), (1024, 194.0))
# The same with float64 data in limbs, by CPU path (wide samples; a few samples cost more).
_LIMB_NANOSECONDS = {
    "avx512ifma": ((53, 1.7), (128, 1.9), (256, 2.4), (512, 3.4), (1024, 6.5)),
    "generic": ((53, 9.0), (128, 12.5), (256, 20.0), (512, 35.0), (1024, 58.0)),
}
_MOST_LIMB_BITS = 1134
_PACKED_BYTES = 16  # of a float64 entry of X beside numbers in limbs: two copies
_MPFR_GROWTH = 1.6  # exponent beyond the table (Karatsuba and above)
_REFERENCE_NANOSECONDS = 200.0  # Python's part of an operation

_NATIVE_BYTES = {"float32": 4, "float64": 8, "float80": 16, "float128": 16, "double_double": 16}
_STEP_NANOSECONDS = 100.0  # tests and bookkeeping of a step
# Times of the other orders over that of sequential sums: native float32 and float64, formats that
# they carry, limbs, MPFR.
_NATIVE_ORDERS = {"blocked": 1.3, "pairwise": 2.3, "kahan": 1.8, "exact": 7.0}
_CARRIED_ORDERS = {"fused": 3.0, "pairwise": 1.3, "kahan": 8.0}
_LIMB_ORDERS = {"sequential": 1.0, "exact": 0.5}
_MPFR_ORDERS = {"fused": 1.1, "kahan": 1.6}
# What carries a format of so many bits, and how much slower than itself.
_CARRIERS = {"float32": (11, 2.5), "float64": (25, 2.0)}
_DRAW_NANOSECONDS = 330.0  # of stochastic rounding
_JACOBI_NANOSECONDS = 30.0  # of an entry's share in diagonalising the scalar layers
_HESSIAN_PRODUCTS = 8  # of a warm-started measurement by Lanczos
_PRODUCTS_OF_A_PAIR = 10  # the same for each of several eigenvalues
_PRODUCTS_OF_QUANTITIES = 25  # with Gram matrices
_SECULAR_NANOSECONDS = 60.0  # of one singular value in a sharpness


def multiply_add_nanoseconds(arithmetic: Arithmetic) -> float:
    """Return the time of one rounded multiply-add of a sum in the core, in nanoseconds."""
    processor = _on_the_processor(arithmetic)
    if processor is not None:
        return processor
    format_, order = arithmetic.accumulate, arithmetic.order
    if _in_limbs(arithmetic):
        path = _core.build_info()["cpu_path"]
        table = _LIMB_NANOSECONDS.get(path, _LIMB_NANOSECONDS["generic"])
        factor, draw = _LIMB_ORDERS[order], 0.0
    else:
        table, factor = _MPFR_NANOSECONDS, _MPFR_ORDERS.get(order, 1.0)
        draw = _DRAW_NANOSECONDS if format_.stochastic and order != "exact" else 0.0
    known, nanoseconds = zip(*table, strict=True)
    beyond = max(1.0, format_.bits / known[-1]) ** _MPFR_GROWTH
    return float(np.interp(format_.bits, known, nanoseconds) * beyond * factor) + draw


def _on_the_processor(arithmetic: Arithmetic) -> float | None:
    """Return the time of a multiply-add of the compiler's numbers; None in limbs and MPFR."""
    name = _native_type(arithmetic)
    if name is None:
        return None
    time, order = _NATIVE_NANOSECONDS[name], arithmetic.order
    if name == arithmetic.parameters.name:
        return time * _NATIVE_ORDERS.get(order, 1.0)
    return time * _CARRIERS[name][1] * _CARRIED_ORDERS.get(order, 1.0)


def _native_type(arithmetic: Arithmetic) -> str | None:
    """Return the compiler's type that holds the numbers, None in limbs and MPFR."""
    format_, order = arithmetic.parameters, arithmetic.order
    if not arithmetic.uniform or format_.rounding != "rn":
        return None
    if format_.name in _NATIVE_NANOSECONDS:
        return format_.name if order == "sequential" or format_.name in _CARRIERS else None
    for name, (bits, _) in _CARRIERS.items() if order != "exact" else ():
        native = NAMED[name]
        if format_.bits <= bits and native.emin <= format_.emin and format_.emax <= native.emax:
            return name
    return None


def _in_limbs(arithmetic: Arithmetic) -> bool:
    """Say whether the core computes with limbs here."""
    format_ = arithmetic.parameters
    return (
        arithmetic.uniform
        and format_.rounding == "rn"
        and arithmetic.order in _LIMB_ORDERS
        and format_.bits <= _MOST_LIMB_BITS
        and _on_the_processor(arithmetic) is None
        and _core.build_info()["cpu_path"] != "mpfr"
    )


def number_bytes(arithmetic: Arithmetic) -> int:
    """Return the memory of one number in the core, in bytes; of the largest stage's."""
    name = _native_type(arithmetic)
    if name is not None:
        return _NATIVE_BYTES[name]
    return 32 + 8 * math.ceil(max(format_.bits for format_ in arithmetic.stages) / 64)


def estimate(
    arithmetic: Arithmetic,
    *,
    samples: int,
    features: int,
    diagonal: bool,
    model: Model,
    steps: int,
    record: Record,
    gradients: float = 1.0,
    reference: bool = False,
) -> tuple[float, int]:
    """Return the seconds and bytes of a run that takes all its steps.

    Parameters
    ----------
    arithmetic : Arithmetic
    samples, features : int
        Rows and columns of X: N and d, or r and r in spectral coordinates.
    diagonal : bool
        Whether X is diagonal, as there.
    model : Minimalist or TwoLayerLinear
    steps : int
        Number of updates.
    record : Record
        What is recorded; a sharpness costs N r + r operations in float64.
    gradients : float
        Work of a step in full-batch gradients.
    reference : bool
        Whether the run is carried out by the gmpy2 text.
    """
    operation = multiply_add_nanoseconds(arithmetic)
    if reference:
        operation = max(operation, _MPFR_NANOSECONDS[0][1]) + _REFERENCE_NANOSECONDS
    rank = min(samples, features)
    entries = samples if diagonal else samples * features
    left = 0 if diagonal else samples * rank  # entries of the left singular vectors
    operations = gradients * model.operations(samples, features, entries)
    step = operation * operations + _STEP_NANOSECONDS
    float64 = _NATIVE_NANOSECONDS["float64"]
    if isinstance(model, Minimalist):
        sharpness = left * float64 + rank * _SECULAR_NANOSECONDS
        if model.depth > 2:
            sharpness += _JACOBI_NANOSECONDS * model.depth**3
    else:
        product = float64 * 2 * (model.width * features + entries)
        sharpness = _HESSIAN_PRODUCTS * product
        step += product * _rare_products(record)
    # Pairs of steps are measured where the cadence is above 1.
    cadence = 1 if record.adaptive else record.cadences["sharpness"]
    share = min(1.0, 2 / cadence) if cadence else 0.0
    seconds = (steps + 1) * (step + share * sharpness) * 1e-9

    entry = _PACKED_BYTES if _in_limbs(arithmetic) else number_bytes(arithmetic)
    data = entries * (entry + 8)  # the core's copies and float64
    numbers = 5 * (samples + features) + 2 * model.parameter_count(features)
    vectors = numbers * number_bytes(arithmetic) + 8 * left
    series = sum(
        width * (steps // cadence + 1)
        for width, cadence in (
            (48, record.loss),
            (64, cadence),
            (32, record.layer_imbalance),
            (32 + 16 * record.top, record.eigenvalues),
            (8 * 28, record.quantities),
            (
                model.parameter_count(features) * (90 + arithmetic.parameters.bits // 4),
                record.parameters,
            ),
        )
        if cadence
    )
    return seconds, data + vectors + series


def _rare_products(record: Record) -> float:
    """Return the products for eigenvalues and quantities, spread over all steps."""
    products = 0.0
    if record.eigenvalues:
        products += (record.top + 1) * _PRODUCTS_OF_A_PAIR / record.eigenvalues
    if record.quantities:
        products += _PRODUCTS_OF_QUANTITIES / record.quantities
    return products
