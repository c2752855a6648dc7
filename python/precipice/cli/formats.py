"""`precipice info --formats`: every number format, its range, and how it is carried out here."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import gmpy2
    from rich.table import Table

    from precipice.precision import Precision

_MPFR = ("mpfr113", "mpfr256", "mpfr1024")  # stand for all
_HEADINGS = ("format", "p", "exponents", "ε", "largest", "normal", "smallest")
_LARGEST_INTEGER = 10**6  # that is written out
_LARGEST_DECIMAL = 10**5  # binary exponent of a number that is written in decimal
_NARROW = 110  # columns below which how it is carried out stands below the table


def show(names: Sequence[str], *, as_json: bool) -> None:
    """Print the named formats, or those that have a name, with roundings, orders and stages.

    Parameters
    ----------
    names : sequence of str
        As `Precision.parse` reads them.
    as_json : bool
        Print one JSON document instead.

    Raises
    ------
    InvalidArgument
        If a name is unknown.
    """
    from precipice import double_double
    from precipice.formats import NAMED
    from precipice.precision import Precision

    formats = [Precision.parse(name) for name in names or (*NAMED, double_double.NAME, *_MPFR)]
    if as_json:
        click.echo(json.dumps(document(formats), indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(table(formats, console.width))
    console.print()
    for line in legend(formats, min(console.width, 100)):
        console.print(line, markup=False)


def document(formats: Sequence[Precision]) -> dict[str, Any]:
    """Return formats, roundings, orders and stages as JSON-able data, numbers as exact text."""
    from precipice.arithmetic import ORDERS, STAGES
    from precipice.exact import text
    from precipice.formats import ROUNDINGS

    described = {}
    for format_ in formats:
        available, how = format_.availability()
        described[format_.name] = {
            **format_.describe(),
            "overflow": format_.overflow,
            "reserved": format_.reserved,
            "epsilon": text(format_.epsilon),
            "largest": text(format_.largest),
            "smallest_normal": text(format_.smallest_normal),
            "smallest": text(format_.smallest),
            "available": available,
            "how": how,
        }
    return {
        "formats": described,
        "roundings": dict(ROUNDINGS),
        "orders": dict(ORDERS),
        "stages": list(STAGES),
    }


def table(formats: Sequence[Precision], width: int) -> Table:
    """Return the formats as a table for so many columns."""
    from rich import box
    from rich.table import Table

    narrow = width < _NARROW
    rows = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0 if narrow else 1)
    )
    for heading in _HEADINGS:
        left = heading == "format"
        rows.add_column(heading, justify="left" if left else "right", no_wrap=not left)
    if not narrow:
        rows.add_column("carried out here")
    for format_ in formats:
        available, how = format_.availability()
        carried = how if available else f"not: {how}"
        cells = [*_cells(format_), carried]
        rows.add_row(*(cells[:-1] if narrow else cells))
    if narrow:
        rows.caption = "\n".join(_carried(formats, width))
        rows.caption_justify = "left"
        rows.caption_style = ""
    return rows


def _carried(formats: Sequence[Precision], width: int) -> list[str]:
    """Return how each format is carried out, a sentence for all those that share it."""
    shared: dict[str, list[str]] = {}
    for format_ in formats:
        available, how = format_.availability()
        shared.setdefault(how if available else f"not here: {how}", []).append(format_.name)
    lines = ["", "carried out here"]
    for how, names in shared.items():
        lines += textwrap.wrap(f"{', '.join(names)}: {how}", width - 1, subsequent_indent="  ")
    return lines


def _cells(format_: Precision) -> list[str]:
    """Return a format's name and numbers."""
    return [
        format_.name,
        str(format_.bits),
        f"{format_.emin}…{format_.emax}" if format_.emin != -format_.emax else f"±{format_.emax}",
        f"2^{1 - format_.bits}",
        _short(format_.largest),
        _short(format_.smallest_normal),
        _short(format_.smallest) if format_.subnormals else "=",
    ]


def _short(number: gmpy2.mpfr) -> str:
    """Return a positive number in few digits, beyond a decimal's reach as a power of two."""
    import gmpy2

    exponent = gmpy2.get_exp(number)
    if abs(exponent) > _LARGEST_DECIMAL:
        is_power = number.as_mantissa_exp()[0].bit_count() == 1
        return f"2^{exponent - 1}" if is_power else f"<2^{exponent}"
    if gmpy2.is_integer(number) and number < _LARGEST_INTEGER:
        return str(int(number))
    return f"{number:.4g}"


def _beyond(formats: Sequence[Precision]) -> str:
    """Return what lies beyond the largest number of each format."""
    words = {"infinity": "infinity", "nan": "NaN", "saturate": "the largest itself"}
    by_overflow: dict[str, list[str]] = {}
    for format_ in formats:
        by_overflow.setdefault(format_.overflow, []).append(format_.name)
    if len(by_overflow) == 1:
        return words[next(iter(by_overflow))]
    last = max(by_overflow, key=lambda overflow: len(by_overflow[overflow]))
    parts = [
        f"{words[overflow]} in {', '.join(names)}"
        for overflow, names in by_overflow.items()
        if overflow != last
    ]
    return "; ".join([*parts, f"{words[last]} in the others"])


def legend(formats: Sequence[Precision], width: int) -> list[str]:
    """Return what the columns, the suffixes, the orders and the stages are, wrapped."""
    from precipice import double_double
    from precipice.arithmetic import ORDERS, STAGES
    from precipice.formats import ROUNDINGS

    entries = [
        "p: bits of the significand. exponents: e of 0.1… · 2^e. ε: from 1 to the next number. "
        "normal: the smallest number from which on all have p bits. smallest: the smallest "
        "positive one, = if that is the same. <2^k: just below 2^k.",
        f"beyond the largest: {_beyond(formats)}.",
        *(
            f"{format_}: p is nominal. {double_double.PROGRAM}; {double_double.ERRORS}."
            for format_ in formats
            if format_.pairs
        ),
        "also: mpfr<bits> (2 to 100000), e<E>m<M> (IEEE 754's style), custom formats as "
        "p5_emin-10_emax12_sub (pc.Precision makes the name).",
        "rounding, behind the name as in bfloat16:sr: "
        + "; ".join(f":{name} {words}" for name, words in ROUNDINGS.items())
        + ". :sat behind that: overflow gives the largest number.",
        f"stages, as in bfloat16/accumulate=float32: {', '.join(STAGES)}.",
    ]
    lines = []
    for entry in entries:
        lines += textwrap.wrap(entry, width, subsequent_indent="  ")
    lines.append("--order of sums:")
    for name, words in ORDERS.items():
        lines += textwrap.wrap(f"  {name:<11}{words}", width, subsequent_indent=" " * 13)
    return lines
