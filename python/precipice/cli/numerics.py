"""The flags that say in which numbers, how measured and how long a run is carried out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from precipice.errors import InvalidArgument

if TYPE_CHECKING:
    from precipice.record import Adaptive

# As precipice.arithmetic has them, which a command's help need not import.
ORDERS = ("sequential", "fused", "blocked", "pairwise", "kahan", "exact")
FORMATS = (
    "float8_e4m3fn float8_e5m2 bfloat16 float16 tfloat32 float32 float64 float80 float128 "
    "mpfr<bits> e<E>m<M>, with :rn|rz|ru|rd|ra|sr and :sat; by stage as bfloat16/accumulate=float32"
)


def _blowup_factor(context: click.Context, option: click.Parameter, value: str) -> float | None:
    """Return the factor; None switches the test off, infinity leaves only non-finite numbers."""
    if value.lower() == "none":
        return None
    try:
        factor = float(value)
    except ValueError:
        factor = math.nan
    if not factor > 0:
        raise InvalidArgument("blowup_factor", value, "must be a positive number, inf or none")
    return factor


def _record_every(context: click.Context, option: click.Parameter, value: str) -> int | Adaptive:
    """Return the cadence of the sharpness."""
    from precipice.exact import whole_number
    from precipice.record import Adaptive

    kind, colon, every = value.partition(":")
    adaptive = kind == "adaptive"
    try:
        number = int((every if colon else "32") if adaptive else value)
    except ValueError:
        rule = "must be an integer of at least 1, adaptive or adaptive:N"
        raise InvalidArgument("record_every", value, rule) from None
    number = whole_number(number, "record_every", 1)
    return Adaptive(number) if adaptive else number


# In the order in which --help shows them.
FORMAT = (
    click.option(
        "--problem-dtype",
        default="float64",
        help="Format the data, start and η are first rounded to, or exact.",
    ),
    click.option(
        "--order",
        type=click.Choice(ORDERS),
        default="sequential",
        help="Order of every sum; 'info --formats' defines them.",
    ),
    click.option(
        "--rounding-seed", type=int, help="Seed of stochastic rounding (:sr), needed with it."
    ),
    click.option(
        "--coordinates",
        type=click.Choice(["primal", "spectral"]),
        default="primal",
        help="Numbers that are trained: the parameters, or their parts along singular vectors.",
    ),
)
_MEASURED = (
    click.option(
        "--measure-precision",
        default="float64",
        help="Format sharpness is measured in, or working.",
    ),
    click.option(
        "--record-every",
        callback=_record_every,
        default="1",
        metavar="N|adaptive[:N]",
        help="Record loss and sharpness every N steps; adaptive: the sharpness every N (32), "
        "and each step near the threshold.",
    ),
    click.option(
        "--record-eigenvalues",
        type=click.IntRange(min=1),
        metavar="N",
        help="Record the largest Hessian eigenvalues and the smallest every n steps.",
    ),
    click.option("--top", type=int, help="How many of the largest eigenvalues; default: 1."),
    click.option(
        "--record-quantities",
        type=click.IntRange(min=1),
        metavar="N",
        help="two-layer: record Gram spectra and norms (Wang et al. 2022) every n steps.",
    ),
)
ENDS = (
    click.option(
        "--blowup-factor",
        callback=_blowup_factor,
        default="1e6",
        metavar="NUMBER|inf|none",
        help="A loss this many times the early loss ends a run as blown up.",
    ),
    click.option("--tol", type=float, help="Stop once the loss is this close to its floor."),
)
_CARRIED_OUT = (
    click.option("--max-seconds", type=float, help="Stop each run after so many seconds."),
    click.option(
        "--engine",
        type=click.Choice(["core", "reference"]),
        default="core",
        help="reference is the slow gmpy2 program that the core is checked against.",
    ),
)
DEVICE = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="cpu",
    help="cuda is an NVIDIA GPU; auto takes it where it is and does such runs, else the CPU.",
)
NUMERICS = (*FORMAT, *_MEASURED, *ENDS, *_CARRIED_OUT, DEVICE)
