"""What came back from a run: its curves, its end, its exact parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from precipice.curvature import Eigenvalues, Quantities
from precipice.digits import supported_value
from precipice.exact import from_text
from precipice.loss_windows import LossWindows
from precipice.sharpness_digits import SharpnessDigits
from precipice.stepping import Stepping
from precipice.switching import RunPrecision, SwitchedPrecision

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from precipice.analysis.events import Events

_SENTENCES = {
    "max_steps": "took all the steps it was given",
    "converged": "the loss, less what no parameters can reduce, fell below the tolerance",
    "stalled": "an update changed no parameter, so no later one will",
    "locked": "the parameters returned to where they were two steps before, so they always will",
    "blowup": "a parameter stopped being finite, or the loss passed the blow-up bound",
    "cancelled": "stopped by the caller before its end",
    "time": "used up the time it was given",
}


class Outcome(str, Enum):
    """How a run ended; a blow-up is a result, not an error."""

    MAX_STEPS = "max_steps"
    CONVERGED = "converged"
    STALLED = "stalled"
    LOCKED = "locked"
    BLOWUP = "blowup"
    CANCELLED = "cancelled"
    TIME = "time"

    @property
    def sentence(self) -> str:
        """Return what the outcome means, in words."""
        return _SENTENCES[self.value]


@dataclass(frozen=True, eq=False)
class Series:
    """A recorded quantity with its own step axis.

    Attributes
    ----------
    name : str
        ``"loss"``, ``"sharpness"``, ``"layer_imbalance"`` or ``"time"``.
    step : ndarray of int64, shape (T,)
        Ascending steps.
    value : ndarray of float64, shape (T,), or (T, D - 1) for the imbalance of depth D > 2
        The quantity, rounded once to float64.
    log2 : ndarray of float64, shape (T,), or None
        log2 of the exact value where float64 may underflow (the loss).
    text : list of str, or None
        The exact values as hexadecimal text, where they were measured in another format.
    residual : ndarray of float64, shape (T,), or None
        ‖H x - S x‖ of an iterative solver's eigenvector x: some eigenvalue of H lies within it of
        the value. None for a closed form.
    products : ndarray of int64, shape (T,), or None
        Hessian-vector products that each measurement took, likewise.
    """

    name: str
    step: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    log2: npt.NDArray[np.float64] | None = None
    text: list[str] | None = None
    residual: npt.NDArray[np.float64] | None = None
    products: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Recorded parameters, exactly.

    Attributes
    ----------
    step : ndarray of int64, shape (T,)
    texts : dict of str to list of list of str
        For each parameter name, T lists of exact texts (hexadecimal).
    bits : int
        Significand width that holds each of them.
    """

    step: npt.NDArray[np.int64]
    texts: Mapping[str, list[list[str]]]
    bits: int

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Return the named parameter as an object array of `gmpy2.mpfr`, shape (T, n)."""
        rows = self.texts[name]
        width = len(rows[0]) if rows else 0
        values = [from_text(text, self.bits) for row in rows for text in row]
        return _object_array(values).reshape(len(rows), width)


@dataclass(frozen=True, eq=False)
class Run:
    """One training run at one precision.

    Attributes
    ----------
    precision : Precision, MixedPrecision or SwitchedPrecision
        The working format, one for each stage, or those that follow one another.
    outcome : Outcome
        How the run ended.
    steps : int
        The last step t; the run's parameters are θ_t.
    loss, sharpness, layer_imbalance : Series or None
        What was recorded; None for what was not asked for.
    time : Series or None
        Of gradient flow: the time of each recorded loss.
    trajectory : Trajectory or None
        Recorded parameters.
    lr : float
        η as rounded to the format of updates, as float64: of a schedule the first, of a flow its
        step (NaN where that follows the sharpness).
    settings : dict
        The definitions that travel with the numbers: loss, sharpness, formats and roundings,
        order, seed of stochastic rounding, how the core carried it out, coordinates,
        problem_dtype, initialisation, versions, CPU path; JSON-able.
    seconds : float
        Wall time of the training loop.
    texts : dict of str to list of str
        Final parameters as exact text.
    stepping : Stepping or None
        η of each step and what it makes of the stability threshold; None for gradient descent
        with a constant η.
    eigenvalues : Eigenvalues or None
        Recorded eigenvalues of the loss's Hessian.
    quantities : Quantities or None
        Recorded quantities of the two-layer linear network.
    switch_steps : tuple of int or None
        Of a `SwitchedPrecision`: the step from whose update on each format but the first held,
        None for a switch that never came.
    loss_windows : LossWindows or None
        The least, greatest and last loss of each window of steps.
    """

    precision: RunPrecision
    outcome: Outcome
    steps: int
    loss: Series | None
    sharpness: Series | None
    layer_imbalance: Series | None
    trajectory: Trajectory | None
    lr: float
    settings: dict[str, Any]
    seconds: float
    texts: Mapping[str, list[str]]
    time: Series | None = None
    stepping: Stepping | None = None
    eigenvalues: Eigenvalues | None = None
    quantities: Quantities | None = None
    switch_steps: tuple[int | None, ...] = ()
    loss_windows: LossWindows | None = None

    def lr_at(self, steps: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return η of one or more steps as rounded to the format of updates, as float64."""
        return self._stepping.lr_at(steps)

    def threshold_at(self, steps: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the stability threshold of one or more steps: 2/η for gradient descent."""
        return self._stepping.threshold_at(steps)

    @property
    def threshold_formula(self) -> str:
        """Return the stability threshold in words, ``"2/η"``; empty for gradient flow."""
        return self._stepping.formula

    @property
    def event_step(self) -> int | None:
        """Return the step from whose update on the schedule's event changed η, or None."""
        return self._stepping.event_step

    @property
    def switches(self) -> list[dict[str, Any]]:
        """Return each switch of the format as JSON-able data: from, to, at or when, and step."""
        if not isinstance(self.precision, SwitchedPrecision):
            return []
        described = self.precision.describe_switches()
        return [
            {**each, "step": step} for each, step in zip(described, self.switch_steps, strict=True)
        ]

    @property
    def _stepping(self) -> Stepping:
        return self.stepping or Stepping.constant(self.lr)

    @property
    def blowup_step(self) -> int | None:
        """Return the step at which the run blew up, or None."""
        return self.steps if self.outcome is Outcome.BLOWUP else None

    def parameters(self) -> dict[str, npt.NDArray[Any]]:
        """Return the final parameters, exactly.

        Returns
        -------
        dict of str to ndarray
            ``{"u": (d,), "v": (D - 1,)}`` or ``{"W": (m, d), "a": (m,)}``, object arrays of
            `gmpy2.mpfr` of the significand width of the parameters' format.
        """
        bits = self.precision.width
        arrays = {
            name: _object_array([from_text(text, bits) for text in texts])
            for name, texts in self.texts.items()
        }
        if "W" in arrays:
            arrays["W"] = arrays["W"].reshape(arrays["a"].size, -1)
        return arrays

    def exact_texts(self) -> dict[str, list[str]]:
        """Return the final parameters as exact text (hexadecimal floats)."""
        return {name: list(texts) for name, texts in self.texts.items()}

    def events(self, merge: int = 20, spike_factor: float = 2.0) -> Events:
        """Return crossings, catapults and the blow-up, found in the recorded curves.

        Parameters
        ----------
        merge : int
            Excursions above the stability threshold with a gap shorter than this are one.
        spike_factor : float
            An excursion is a catapult if the loss rises by this factor.

        Raises
        ------
        InvalidArgument
            If a threshold is out of range.
        """
        from precipice.analysis.events import find_events

        loss = self.loss or _empty("loss")
        sharpness = self.sharpness or _empty("sharpness")
        of_steps = self._stepping
        return find_events(
            loss.step,
            loss.value,
            loss.log2,
            sharpness.step,
            sharpness.value,
            threshold=of_steps.threshold_at(sharpness.step if of_steps.varies else 0),
            lr=self.lr if of_steps.factor == 2 and not of_steps.varies else None,
            last_step=self.steps,
            blowup_step=self.blowup_step,
            merge=merge,
            spike_factor=spike_factor,
        )

    @property
    def digits(self) -> SharpnessDigits:
        """Return what says how many digits of the sharpness its residuals support."""
        return SharpnessDigits(self.sharpness)

    def to_dict(self) -> dict[str, Any]:
        """Return the run's summary as JSON-able data, non-finite numbers as None.

        Numbers have no digit that their residual does not support, and are None if none is.
        """
        sharpness = self.digits.last()
        return {
            "precision": self.precision.name,
            "outcome": self.outcome.value,
            "steps": self.steps,
            **({} if self.event_step is None else {"event_step": self.event_step}),
            **({"switches": self.switches} if self.switch_steps else {}),
            **self.digits.events(self.events()).to_dict(),
            "final": {
                "loss": _last(self.loss and self.loss.value),
                "log2_loss": _last(self.loss and self.loss.log2),
                "sharpness": sharpness and _finite(supported_value(*sharpness)),
                **(self.eigenvalues.final() if self.eigenvalues else {}),
                **(self.quantities.final() if self.quantities else {}),
            },
            **({} if self.loss_windows is None else {"loss_windows": self.loss_windows.to_dict()}),
            "seconds": self.seconds,
        }

    def to_json(self) -> str:
        """Return `to_dict` and the settings as one JSON document."""
        document = {**self.to_dict(), "settings": self.settings}
        return json.dumps(document, allow_nan=False, ensure_ascii=False, indent=2)

    def to_pandas(self) -> pd.DataFrame:
        """Return the recorded numbers by step, NaN where one was not recorded.

        Columns are loss, log2_loss, sharpness, window_least_loss (at the step that has it), …,
        hessian_1 …, hessian_min, and the names of
        `precipice.curvature.QUANTITIES`, as far as there are any.

        Raises
        ------
        ImportError
            If pandas is not installed (``pip install precipice[xarray]``).
        """
        import pandas as pd

        columns = []
        if self.loss is not None:
            columns.append(pd.Series(self.loss.value, index=self.loss.step, name="loss"))
            columns.append(pd.Series(self.loss.log2, index=self.loss.step, name="log2_loss"))
        if self.sharpness is not None:
            series = self.sharpness
            columns.append(pd.Series(series.value, index=series.step, name="sharpness"))
        if self.loss_windows is not None:
            windows = self.loss_windows
            for name in ("least", "greatest", "last"):
                at, values = windows.named()[f"{name}_step"], windows.named()[name]
                columns.append(pd.Series(values, index=at, name=f"window_{name}_loss"))
        for spectral in (self.eigenvalues, self.quantities):
            if spectral is not None:
                columns += [
                    pd.Series(values, index=spectral.step, name=name)
                    for name, values in spectral.named().items()
                ]
        frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
        return frame.rename_axis("step").sort_index()

    def to_xarray(self) -> xr.Dataset:
        """Return every recorded series on its own step axis, definitions as attributes.

        Raises
        ------
        ImportError
            If xarray is not installed (``pip install precipice[xarray]``).
        """
        import xarray as xr

        variables: dict[str, Any] = {}
        coordinates: dict[str, Any] = {}
        for series in (self.loss, self.sharpness, self.layer_imbalance, self.time):
            if series is None:
                continue
            axis = f"{series.name}_step"
            coordinates[axis] = series.step
            axes = (axis, "layer") if series.value.ndim == 2 else (axis,)
            variables[series.name] = (axes, series.value)
            if series.log2 is not None:
                variables[f"log2_{series.name}"] = (axis, series.log2)
        for name, spectral in (("eigenvalues", self.eigenvalues), ("quantities", self.quantities)):
            if spectral is not None:
                axis = f"{name}_step"
                coordinates[axis] = spectral.step
                columns = spectral.named() | spectral.named_residuals()
                variables |= {column: (axis, values) for column, values in columns.items()}
        if self.loss_windows is not None:
            coordinates["loss_window"] = self.loss_windows.begin
            columns = self.loss_windows.named()
            variables |= {f"loss_{name}": ("loss_window", a) for name, a in columns.items()}
        attributes = {
            "precision": self.precision.name,
            "outcome": self.outcome.value,
            "steps": self.steps,
            "lr": self.lr,
            "settings": json.dumps(self.settings, ensure_ascii=False),
        }
        return xr.Dataset(variables, coordinates, attributes)


def _object_array(values: list[Any]) -> npt.NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _empty(name: str) -> Series:
    return Series(name, np.empty(0, np.int64), np.empty(0), np.empty(0))


def _last(values: Any) -> float | None:
    """Return the last entry, or None if there is none or it is not finite."""
    return None if values is None or len(values) == 0 else _finite(float(values[-1]))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
