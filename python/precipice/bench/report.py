"""A benchmark for a reader: its table and its figure."""

from __future__ import annotations

import io
from statistics import median
from typing import TYPE_CHECKING, Any

from precipice.bench.rows import Benchmark, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table

WIDTH = 116

_INK = "#333333"
# name: label, colour, marker
_STYLES = {
    "native": ("precipice, native formats", "#e0479e", "o"),
    "precipice": ("precipice, mpfr<bits>", "#8e0b6f", "o"),
    "precipice-generic": ("precipice, forced to generic", "#b46ac0", "o"),
    "precipice-mpfr": ("precipice, forced to mpfr", "#8d8d8d", "o"),
    "plain-mpfr": ("plain C MPFR", "#111111", "s"),
    "blas": ("NumPy, products alone", "#4895ef", "v"),
    "numpy": ("NumPy", "#1d3fbb", "^"),
    "gmpy2": ("gmpy2 loops", "#e07a1f", "D"),
    "mpmath": ("mpmath fdot", "#8a5a2b", "P"),
    "flint": ("python-flint arb_mat", "#2a9134", "X"),
}


_FLOOR = "precipice's floors (model)"


def rich_table(benchmark: Benchmark) -> Table:
    """Return the rows as a rich table; precipice's own stand out."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for heading, right in (
        ("shape", False), ("precision", False), ("stage", False), ("engine", False),
        ("ns/MAC", True), ("floor", True), ("share", True), ("µs/step", True),
        ("precipice ÷", True), ("what was timed", False), ("answer", False),
    ):  # fmt: skip
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    before: Row | None = None
    for row in benchmark.rows:
        if row.nanoseconds is None:
            continue
        fresh = before is None or _cell(row) != _cell(before)
        if fresh and before is not None:
            table.add_section()
        own = row.engine == "precipice"
        table.add_row(
            row.shape if fresh else "",
            row.precision if fresh else "",
            row.stage if fresh else "",
            row.engine,
            _number(row.nanoseconds),
            _number(row.floor),
            "" if row.share is None else f"{100 * row.share:.0f} % {row.floor_set_by[0]}",
            _number(row.microseconds),
            "" if own or row.ratio is None else f"{row.ratio:.3g}",
            row.scope,
            "" if own else row.agreement,
            style="bold" if own else None,
        )
        before = row
    return table


def _cell(row: Row) -> tuple[str, str, str]:
    """Return what the rows that were timed side by side have in common."""
    return row.shape, row.precision, row.stage


def as_text(benchmark: Benchmark) -> str:
    """Return table and method as plain text."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(file=stream, width=200, color_system=None, force_terminal=False)
    console.print(rich_table(benchmark))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join([*lines, "", *caption(benchmark)]) + "\n"


def caption(benchmark: Benchmark) -> list[str]:
    """Return what belongs to the numbers."""
    method, machine = benchmark.method, benchmark.machine
    return [
        f"{method['work']}; ns/MAC: {method['nanoseconds']}",
        f"{method['clock']}; BLAS threads: {method['blas_threads']}",
        _spread(benchmark),
        f"answer: {method['answers']}",
        "precipice ÷: precipice's time a multiply-add over this engine's; below 1 precipice is "
        "faster",
        f"floor: {method['floor']}",
        f"  m, multiplications: {method['floor_multiplications']}",
        f"  b, bytes: {method['floor_bytes']}",
        f"  clock: {method['gigahertz']} GHz, by {method['floor_clock']}",
        f"{machine['processor']}, {machine['system']}, {machine['cpu_path']} code · "
        + ", ".join(f"{name} {version}" for name, version in benchmark.versions.items()),
        *_not_timed(benchmark),
    ]


def _spread(benchmark: Benchmark) -> str:
    """Return how far the rounds lay apart."""
    spreads = [row.spread for row in benchmark.rows if row.spread is not None]
    if not spreads:
        return "spread: nothing was timed"
    return (
        f"spread: between a cell's rounds {100 * median(spreads):.0f} % of the time (median), "
        f"{100 * max(spreads):.0f} % at most"
    )


def _not_timed(benchmark: Benchmark) -> list[str]:
    """Return who was not timed at which formats, and why."""
    absent: dict[tuple[str, str], dict[str, None]] = {}
    for row in benchmark.rows:
        if row.nanoseconds is None:
            absent.setdefault((row.engine, row.scope), {})[row.precision] = None
    return [
        f"not timed: {engine} at {', '.join(precisions)}: {why}"
        for (engine, why), precisions in absent.items()
    ]


def figure(benchmark: Benchmark) -> Figure:
    """Draw ns per multiply-add against bits: a column of panels a shape, a row of them a stage.

    precipice's native formats and its MPFR formats are two lines, with their floors dotted. Where
    an engine was timed at two formats of the same width, its line goes between the two points.
    """
    from matplotlib.figure import Figure

    shapes, stages = (
        list(dict.fromkeys(getattr(row, name) for row in benchmark.rows))
        for name in ("shape", "stage")
    )
    size = (2.6 + 3.4 * len(shapes), 0.9 + 4.0 * len(stages))
    drawn = Figure(figsize=size, dpi=160, layout="constrained")
    panels = drawn.subplots(len(stages), len(shapes), sharex="col", sharey=True, squeeze=False)
    for stage, line in zip(stages, panels, strict=True):
        for shape, axes in zip(shapes, line, strict=True):
            rows = [row for row in benchmark.rows if (row.shape, row.stage) == (shape, stage)]
            _draw_panel(axes, rows)
            samples, features = shape.split("x")
            what = "" if len(stages) == 1 else f"{'whole steps' if stage == 'step' else stage}: "
            title = f"{what}{samples} samples, {features} features"
            axes.set_title(title, fontsize=10, color=_INK)
        line[0].set_ylabel("nanoseconds per multiply-add")
    drawn.supxlabel("bits of the significand", fontsize=10)
    handles: dict[str, Any] = {}
    for axes in panels.flat:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    order = [label for label in (*(style[0] for style in _STYLES.values()), _FLOOR)
             if label in handles]  # fmt: skip
    drawn.legend(
        [handles[label] for label in order], order, loc="outside right upper",
        frameon=False, fontsize=8.5, labelcolor=_INK, labelspacing=0.8,
    )  # fmt: skip
    return drawn


def _draw_panel(axes: Axes, rows: list[Row]) -> None:
    """Draw the lines of one shape."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    bits = sorted({row.bits for row in rows})
    # 113 and 128, 53 and 64 stand too close for two labels.
    labelled = [b for i, b in enumerate(bits) if i + 1 == len(bits) or bits[i + 1] > 1.3 * b]
    axes.xaxis.set_major_locator(FixedLocator(labelled))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    for engine, (label, colour, marker) in _STYLES.items():
        points = [(row.bits, row.nanoseconds) for row in rows
                  if _line(row) == engine and row.nanoseconds is not None]  # fmt: skip
        if not points:
            continue
        middle = {b: median(y for x, y in points if x == b) for b, _ in sorted(points)}
        own = engine in ("native", "precipice", "precipice-generic")
        floors = [(row.bits, row.floor) for row in rows
                  if _line(row) == engine and row.floor is not None]  # fmt: skip
        if floors and engine != "precipice-generic":
            axes.plot(*zip(*sorted(floors), strict=True), ":", color=colour, linewidth=1.2,
                      label=_FLOOR)  # fmt: skip
        style: dict[str, Any] = {"color": colour, "zorder": 3 if own else 4}
        axes.plot(list(middle), list(middle.values()), linewidth=3.0 if own else 1.1, **style)
        axes.plot(
            *zip(*points, strict=True), marker, label=label,
            markersize=8 if own else 4.5, markeredgecolor="white", markeredgewidth=0.6, **style,
        )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9, colors=_INK)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def _line(row: Row) -> str:
    """Return the line that a row belongs to."""
    native = row.engine == "precipice" and not row.precision.startswith("mpfr")
    return "native" if native else row.engine


def _number(value: float | None) -> str:
    """Return a time with three digits, empty where there is none."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
