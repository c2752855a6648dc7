"""A comparison as a table: one row a precision, and the definitions behind the numbers."""

from __future__ import annotations

import csv
import io
import math
import textwrap
from typing import TYPE_CHECKING, Any

from precipice.optimizers import GradientFlow, from_description

if TYPE_CHECKING:
    from rich.table import Table

    from precipice.results import Run
    from precipice.study.comparison import Comparison
    from precipice.study.ensemble_results import Ensemble

WIDTH = 100
_ROOMY = 14  # characters of a name beside which columns have room to spare
_LOG10_OF_2 = math.log10(2.0)

# Column name, heading, and whether it is set flush right.
_COLUMNS = (
    ("precision", "precision", False),
    ("outcome", "outcome", False),
    ("crossing", "crossing", True),
    ("drop", "drop", True),
    ("delay", "delay", True),
    ("peak_sharpness", "peak S̄", True),
    ("overshoot", "overshoot", True),
    ("blowup", "blow-up", True),
    ("final_loss", "final loss", True),
)


def row(run: Run) -> dict[str, Any]:
    """Return a run's entries: those of its first excursion, its blow-up and its final loss.

    Steps are integers; what did not happen is None, and so is all that a sharpness which was not
    recorded would tell; the final loss is text, so that values below 1e-308 are not lost. Numbers
    have no digit that the residual of the sharpness does not support.
    """
    events = run.digits.events(run.events())
    first = events.catapults[0] if events.catapults else None
    return {
        "precision": str(run.precision),
        "outcome": run.outcome.value,
        "steps": run.steps,
        "crossing": first.crossing if first else None,
        "drop": first.drop_step if first else None,
        "delay": first.delay if first else None,
        "peak_sharpness": first.peak_sharpness if first else None,
        "overshoot": first.overshoot if first else None,
        "excursions": len(events.catapults) if events.measured else None,
        "started_above": events.started_above if events.measured else None,
        "blowup": events.blowup.step if events.blowup else run.blowup_step,
        "final_loss": final_loss(run),
    }


def final_loss(run: Run) -> str | None:
    """Return the last recorded loss as text, exact in its power of ten below 1e-308 too."""
    if run.loss is None or run.loss.value.size == 0:
        return None
    log2 = None if run.loss.log2 is None else float(run.loss.log2[-1])
    return loss_text(float(run.loss.value[-1]), log2)


def loss_text(value: float, log2: float | None) -> str:
    """Return a loss with four significant digits, from its log2 where float64 underflows."""
    if log2 is None or not math.isfinite(log2) or -1000.0 < log2 < 1000.0:
        return f"{value:.4g}"
    exponent = math.floor(log2 * _LOG10_OF_2)
    significand, _, carry = f"{10.0 ** (log2 * _LOG10_OF_2 - exponent):.3e}".partition("e")
    return f"{significand}e{exponent + int(carry):+d}"


def rich_table(comparison: Comparison, width: int = WIDTH) -> Table:
    """Return the rows as a rich table for so many columns, without the definitions."""
    from rich import box
    from rich.table import Table

    names = "\n".join(stage_lines(str(run.precision)) for run in comparison.runs)
    gap = 1 if width >= WIDTH and max(map(len, names.split("\n"))) <= _ROOMY else 0
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap))
    for _, heading, right in _COLUMNS:
        # Numbers stay whole; where there is no room for a name it goes on in the next line.
        table.add_column(
            heading, justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    for run in comparison.runs:
        entries = row(run) | _sharpness_texts(run)
        entries["precision"] = stage_lines(entries["precision"])
        table.add_row(*(_shown(entries[name]) for name, _, _ in _COLUMNS))
    return table


def stage_lines(name: str) -> str:
    """Return a precision's name with a line for each stage that has a format of its own."""
    return name.replace("/", "\n/")


def _sharpness_texts(run: Run) -> dict[str, str]:
    """Return the entries that were read off the sharpness, in four supported digits at most."""
    catapults = run.events().catapults
    if not catapults:
        return {}
    first, digits = catapults[0], run.digits
    return {
        "peak_sharpness": digits.text(first.peak_sharpness, first.peak_step, 4, zeros=True),
        "overshoot": digits.overshoot_text(first, 4, zeros=True),
    }


def caption(comparison: Comparison, width: int = WIDTH) -> list[str]:
    """Return the definitions that belong to the numbers, in lines of at most `width` columns."""
    problem, settings, theory = comparison.problem, comparison.settings, comparison.theory
    lines = [
        f"{problem['name']} ({problem['samples']} samples, {problem['features']} features, "
        f"sha256 {problem['sha256'][:12]}) · {model_text(comparison)} · "
        f"{optimizer_text(comparison)} · {_threshold_text(comparison)}"
        f"init {start_text(settings['init'])} · up to {settings['steps']} steps",
        f"loss {settings['loss']} = {settings['loss_definition']} · {order_text(settings)} · "
        f"coordinates {settings['coordinates']} · problem_dtype {settings['problem_dtype']}",
        f"sharpness S = {settings['sharpness_definition']}, measured in "
        f"{settings['measure_precision']} · "
        f"predicted sharpness {_figure(theory['predicted_sharpness'])}",
        _excursion_text(comparison),
        *(f"{run.precision}: {line}" for run in comparison.runs for line in switch_lines(run)),
    ]
    note = problem["provenance"].get("loss")
    if note and settings["loss"] == problem["presets"]["loss"]:
        lines.append(f"about the loss: {note}")
    return [piece for line in lines for piece in wrapped(line, width)]


def switch_lines(run: Run) -> list[str]:
    """Return where a run's format changed, a line a switch."""
    return [
        f"{switch['to']} never, since {switch.get('when') or 'its step'} never came"
        if switch["step"] is None
        else f"{switch['to']} from the update of step {switch['step']} on"
        for switch in run.switches
    ]


def model_text(comparison: Comparison | Ensemble) -> str:
    """Return the model in words."""
    model = comparison.model
    size = f"D = {model['depth']}" if "depth" in model else f"m = {model.get('width')}"
    size += ", biases" if model.get("bias") else ""
    return f"{model['name']} {size}"


_OPTIMIZERS = {
    "gd": "GD",
    "heavy-ball": "heavy ball",
    "nesterov": "Nesterov",
    "sgd": "SGD",
    "gradient-flow": "gradient flow",
}


def optimizer_text(comparison: Comparison | Ensemble) -> str:
    """Return the optimiser in words, with its numbers as they were given."""
    described = comparison.optimizer
    name = _OPTIMIZERS[described["name"]]
    if described["name"] == GradientFlow.name:
        if described["step"] is not None:
            return f"{name} h = {described['step']}"
        return f"{name} h = {described['factor']:g}/S, S every {described['every']} steps"
    words = [f"{name} η = {described['lr']}"]
    if from_description(described).exact_momentum() is not None:
        nesterov = " (Nesterov)" if described.get("nesterov") else ""
        words.append(f"β = {described['momentum']}{nesterov}")
    if "batch_size" in described:
        words.append(f"B = {described['batch_size']} {described['sampling']}, "
                     f"seed {described['seed']}")  # fmt: skip
    return ", ".join(words)


def threshold_formula(comparison: Comparison | Ensemble) -> str:
    """Return the stability threshold in words; empty where there is none."""
    return from_description(comparison.optimizer).threshold_formula


def _threshold_text(comparison: Comparison) -> str:
    """Return the stability threshold and a separator."""
    formula = threshold_formula(comparison)
    if not formula:
        return ""
    at_first = " at step 0" if "schedule" in comparison.optimizer else ""
    return f"{formula} = {_figure(comparison.theory['threshold'])}{at_first} · "


def _excursion_text(comparison: Comparison) -> str:
    """Return what the table's events are."""
    formula = threshold_formula(comparison)
    if not formula:
        return "crossing, drop, delay, peak S̄, overshoot: none, since a flow has no threshold"
    return (
        "crossing, drop, delay, peak S̄, overshoot: first excursion of S̄_t = (S_t + S_{t+1})/2 "
        f"above {formula}"
    )


def wrapped(line: str, width: int) -> list[str]:
    """Return a line broken between its parts where one can, within them where one must."""
    pieces = [""]
    for part in line.split(" · "):
        joined = f"{pieces[-1]} · {part}" if pieces[-1] else part
        if len(joined) <= width:
            pieces[-1] = joined
        else:
            pieces.extend(textwrap.wrap(part, width))
    return pieces if pieces[0] else pieces[1:]


def order_text(settings: dict[str, Any]) -> str:
    """Return the order of sums, defined unless it is the default, and the seed of rounding.

    A precision may name an order of its own.
    """
    order, definition = settings["order"], settings.get("order_definition")
    defined = f": {definition}" if definition and order != "sequential" else ""
    seed = settings.get("rounding_seed")
    if any("/order=" in precision for precision in settings.get("precisions", ())):
        defined += ", where the precision names none"
    return f"order {order}{defined}" + ("" if seed is None else f" · rounding seed {seed}")


def start_text(init: dict[str, Any]) -> str:
    """Return the initialisation in words, without exact texts and arrays."""
    details = [
        f"{key} = {value}"
        for key, value in init.items()
        if key != "name" and not key.endswith("_exact") and not isinstance(value, (dict, list))
    ]
    return " ".join([str(init["name"]), *([f"({', '.join(details)})"] if details else [])])


def as_text(comparison: Comparison) -> str:
    """Return rows and definitions as plain text of at most 100 columns."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, color_system=None, force_terminal=False)
    console.print(rich_table(comparison))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join([*lines, "", *caption(comparison)]) + "\n"


def as_csv(comparison: Comparison) -> str:
    """Return the rows as comma-separated values, numbers in full, empty where there is none."""
    stream = io.StringIO()
    rows = [row(run) for run in comparison.runs]
    if any(run.switch_steps for run in comparison.runs):
        for each, run in zip(rows, comparison.runs, strict=True):
            each["switch_steps"] = " ".join(
                "never" if t is None else str(t) for t in run.switch_steps
            )
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _shown(entry: object) -> str:
    """Return one cell."""
    if entry is None:
        return "–"
    return _number(entry) if isinstance(entry, float) else str(entry)


def _figure(value: float | None) -> str:
    """Return a number for a sentence; one that is not finite is read back as None."""
    return "–" if value is None else f"{value:.4g}"


def _number(value: float) -> str:
    """Return a number with four significant digits, zeros included, so that columns compare."""
    return f"{value:#.4g}".rstrip(".")
