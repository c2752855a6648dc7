"""Figures 4 and 9 of Yoo et al. 2025 in the small: batch and step size order the sharpening.

The paper's claims (sections 3.2 and 5.2) about the minimalist model of depth 2: under SGD sharpness
rises less, and layer imbalance more, the smaller the batch and the larger the learning rate; under
gradient descent neither depends on the learning rate. Runs from one start are compared at equal
training time η t while all are below the edge of stability: past it, the sharpness of every run is
near its own 2/η.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from precipice import initialisers
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.models import Minimalist
from precipice.optimizers import GD, SGD
from precipice.plot_style import DPI, INK, plain, sequence
from precipice.problems import Problem, cifar10
from precipice.record import Record
from precipice.reproduce.figures import (
    FigureBuilder,
    Report,
    ReproducedFigure,
    claim_lines,
    train_all,
)
from precipice.results import Run, Series
from precipice.simulation import PreparedRun, prepare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAMPLES = 1000
"""The paper's N."""
BATCHES = (125, 250, 500)
"""The paper's batch sizes; the fourth is all samples, gradient descent."""
LEARNING_RATES = ("2/1200", "2/2400", "2/4800")
"""Ours, the largest first: the paper prints none for these figures."""
STEPS = 4000
"""At the largest learning rate: the sharpness then comes to 95 % of its 2/η."""
SEED = 1
_POINTS = 80
# A change of imbalance under descent is of order η² a step: this part of what SGD's smallest batch
# does counts as none.
_NEGLIGIBLE = 0.05


@dataclass(frozen=True)
class Curve:
    """One run: its batch size (all samples for descent), its learning rate, and what it gave."""

    batch: int
    lr: Fraction
    run: Run

    @property
    def sharpness(self) -> float:
        """S at the end."""
        return float(_recorded(self.run.sharpness).value[-1])

    @property
    def imbalance_rise(self) -> float:
        """C(θ) at the end less that at the start."""
        imbalance = _recorded(self.run.layer_imbalance).value
        return float(imbalance[-1] - imbalance[0])

    def points(self, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return training time and values of a recorded series."""
        series = _recorded(getattr(self.run, name))
        return np.asarray(series.step * float(self.lr), dtype=np.float64), series.value


@dataclass(frozen=True)
class BatchAndStepSize(ReproducedFigure):
    """Sharpness and imbalance by batch size and by learning rate.

    Attributes
    ----------
    curves : tuple of Curve
        By learning rate, the largest first, then by batch, the smallest first.
    settings : dict
    """

    curves: tuple[Curve, ...]
    settings: dict[str, Any]
    name = "yoo2025-figures-4-9"

    def claims(self) -> dict[str, bool]:
        """Return whether each of the paper's claims holds of these runs, by its words."""
        by_batch = [curve for curve in self.curves if curve.lr == self.curves[0].lr]
        by_lr = [curve for curve in self.curves if curve.batch == self.curves[0].batch]
        descent = [curve for curve in self.curves if curve.batch == by_batch[-1].batch]
        rises, scale = [curve.imbalance_rise for curve in descent], by_lr[0].imbalance_rise
        sharpness = [curve.sharpness for curve in descent]
        return {
            "a smaller batch sharpens less": _ascends(c.sharpness for c in by_batch),
            "a smaller batch unbalances more": _ascends(-c.imbalance_rise for c in by_batch),
            "a larger learning rate of SGD sharpens less": _ascends(c.sharpness for c in by_lr),
            "a larger learning rate of SGD unbalances more": _ascends(
                -c.imbalance_rise for c in by_lr
            ),
            "descent sharpens alike at any learning rate": max(sharpness) - min(sharpness)
            < _NEGLIGIBLE * (sharpness[0] - by_lr[0].sharpness),
            "descent keeps its balance": max(map(abs, rises)) < _NEGLIGIBLE * scale,
        }

    def text(self) -> str:
        """Return a line a run, the claims and the settings."""
        lines = [f"{'batch':>8}{'η':>10}{'steps':>8}{'S(T)':>12}{'C(T) - C(0)':>14}{'S/(2/η)':>10}"]
        for curve in self.curves:
            largest = _recorded(curve.run.sharpness).value.max() * float(curve.lr) / 2
            lines.append(
                f"{curve.batch:>8}{_fraction(curve.lr):>10}{curve.run.steps:>8}"
                f"{curve.sharpness:>12.6g}{curve.imbalance_rise:>14.4g}{largest:>10.3g}"
            )
        lines += ["", *claim_lines(self.claims()), "", _caption(self.settings)]
        return "\n".join(lines) + "\n"

    def numbers(self) -> dict[str, Any]:
        """Return the runs' last values and the claims."""
        return {
            "runs": [
                {
                    "batch": curve.batch,
                    "lr": _fraction(curve.lr),
                    "steps": curve.run.steps,
                    "outcome": curve.run.outcome.value,
                    "sharpness": curve.sharpness,
                    "imbalance_rise": curve.imbalance_rise,
                }
                for curve in self.curves
            ],
            "claims": self.claims(),
        }

    def figure(self) -> Figure:
        """Draw sharpness above and imbalance below, by batch on the left, by η on the right."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.2, 6.4), dpi=DPI, layout="constrained")
        panels = figure.subplots(2, 2, sharex=True, sharey="row")
        largest, smallest_batch = self.curves[0].lr, self.curves[0].batch
        samples = self.settings["samples"]
        columns = (
            (f"η = {_fraction(largest)}", [c for c in self.curves if c.lr == largest]),
            (
                f"SGD, B = {smallest_batch}",
                [c for c in self.curves if c.batch in (smallest_batch, samples)],
            ),
        )
        for column, (title, curves) in enumerate(columns):
            for row, name in enumerate(("sharpness", "layer_imbalance")):
                _draw(panels[row][column], curves, name, samples, by_batch=column == 0)
            panels[0][column].set_title(title, fontsize=10, color=INK, loc="left")
            panels[1][column].set_xlabel("training time η t")
            panels[0][column].legend(frameon=False, fontsize=8.5, labelcolor=INK)
        panels[0][0].set_ylabel("sharpness S")
        panels[1][0].set_ylabel("layer imbalance C(θ)")
        figure.suptitle(_caption(self.settings), fontsize=9, x=0.01, ha="left", color=INK)
        return figure


def batch_and_step_size(
    path: str | os.PathLike[str],
    *,
    samples: int = SAMPLES,
    batches: Sequence[int] = BATCHES,
    learning_rates: Sequence[str] = LEARNING_RATES,
    steps: int = STEPS,
    seed: int = SEED,
    workers: int | None = None,
    report: Report | None = None,
) -> BatchAndStepSize:
    """Train the minimalist model at several batch and step sizes from one start.

    Parameters
    ----------
    path : path
        CIFAR-10's cats and dogs, in any form that `precipice.problems.cifar10` reads.
    samples : int
        N, of which a random subset is drawn.
    batches : sequence of int
        B, ascending; all samples are added. Batches are reshuffled every epoch.
    learning_rates : sequence of str
        η, descending. All batches run at the first; the smallest and all samples at the others.
    steps : int
        At the first learning rate; the others take as many as make the same training time.
    seed : int
        Of the start and of the batches.
    workers : int, optional
        Threads.
    report : callable, optional
        Called with the steps taken and those of all runs.

    Raises
    ------
    InvalidArgument
        If the data cannot be used, batches or rates are not in order, or the training times
        cannot be made equal.

    Notes
    -----
    Primal coordinates, float64. The default takes about ten minutes on one core.
    """
    problem = cifar10(path, ("cat", "dog"), n=samples)
    sizes = [whole_number(batch, "batches", 1, samples - 1) for batch in batches] + [samples]
    rates = [Fraction(lr) for lr in learning_rates]
    if not _ascends(sizes) or not rates or not _ascends(-rate for rate in rates):
        rule = "must be batches ascending and learning rates descending, at least one of each"
        raise InvalidArgument("batches", (*batches, *learning_rates), rule)
    pairs = [(rates[0], batch) for batch in sizes]
    pairs += [(rate, batch) for rate in rates[1:] for batch in (sizes[0], samples)]
    prepared = [
        _prepared(problem, batch, rate, _steps(steps, rates[0], rate), seed)
        for rate, batch in pairs
    ]
    runs = train_all(prepared, workers=workers, report=report)
    curves = [Curve(batch, rate, run) for (rate, batch), run in zip(pairs, runs, strict=True)]
    return BatchAndStepSize(tuple(curves), _settings(problem, samples, seed, runs[0]))


def _prepared(problem: Problem, batch: int, lr: Fraction, steps: int, seed: int) -> PreparedRun:
    optimizer = GD(lr) if batch == problem.samples else SGD(lr, batch_size=batch, seed=seed)
    cadence = max(1, steps // _POINTS)
    return prepare(
        problem, Minimalist(), optimizer, precision="float64", steps=steps,
        init=initialisers.pytorch(seed), loss="half_mean",
        record=Record(loss=cadence, sharpness=cadence, layer_imbalance=cadence),
    )  # fmt: skip


def _steps(steps: int, first: Fraction, lr: Fraction) -> int:
    """Return the steps that take a rate as long as the first rate's."""
    taken = whole_number(steps, "steps", 1) * first / lr
    if taken.denominator != 1:
        raise InvalidArgument("steps", steps, f"must make a whole number of steps at {lr}")
    return int(taken)


def _settings(problem: Problem, samples: int, seed: int, run: Run) -> dict[str, Any]:
    """Return the definitions that travel with the numbers."""
    return {
        "paper": "Yoo, Song and Yun 2025, figures 4 and 9, in the small",
        "problem": problem.to_dict(),
        "samples": samples,
        "model": Minimalist().describe(),
        "loss": "half_mean",
        "initialisation": initialisers.pytorch(seed).describe(),
        "batches": f"random reshuffling, seed {seed}",
        "run": {key: run.settings[key] for key in ("order", "coordinates", "problem_dtype")},
        "learning rates": "ours: the paper prints none for these figures",
    }


def _caption(settings: dict[str, Any]) -> str:
    return (
        f"Yoo et al. 2025, figures 4 and 9 · CIFAR-10 cat/dog, N = {settings['samples']} · "
        "minimalist D = 2 · half_mean\npytorch start "
        f"(seed {settings['initialisation']['seed']}) · random reshuffling · float64"
    )


def _draw(axes: Axes, curves: Sequence[Curve], name: str, samples: int, *, by_batch: bool) -> None:
    """Draw one quantity of some runs over training time."""
    plain(axes)
    varied = [curve for curve in curves if by_batch or curve.batch < samples]
    for curve, colour in zip(varied, reversed(sequence(len(varied))), strict=True):
        size = "N, descent" if curve.batch == samples else curve.batch
        label = f"B = {size}" if by_batch else f"η = {_fraction(curve.lr)}"
        axes.plot(*curve.points(name), color=colour, linewidth=1.4, label=label)
    if not by_batch:
        for index, curve in enumerate(curve for curve in curves if curve.batch == samples):
            label = "descent, every η" if index == 0 else "_again"
            axes.plot(*curve.points(name), color=INK, linewidth=1.0, linestyle="--", label=label)


def _recorded(series: Series | None) -> Series:
    assert series is not None
    return series


def _fraction(lr: Fraction) -> str:
    """Return η as 2/n where it is."""
    return f"2/{2 / lr}" if (2 / lr).denominator == 1 else str(lr)


def _ascends(values: Any) -> bool:
    return all(low < high for low, high in pairwise(values))


FIGURES: dict[str, FigureBuilder] = {"4-9": batch_and_step_size}
"""What computes each figure, by the paper's number."""
