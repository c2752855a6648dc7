from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64] | list[str]

class Format:
    def __init__(
        self,
        *,
        name: str,
        precision: int,
        emin: int,
        emax: int,
        subnormals: bool,
        overflow: str = "infinity",
        reserved: int = 0,
        rounding: str = "rn",
    ) -> None: ...
    name: str
    precision: int
    emin: int
    emax: int
    subnormals: bool

class Arithmetic:
    def __init__(
        self, *, stages: list[Format], order: str = "sequential", seed: int = 0, run: int = 0
    ) -> None: ...

class ProblemSpec:
    def __init__(
        self,
        *,
        diagonal: bool,
        samples: int,
        rows: int,
        features: int,
        X: Values,
        y: Values,
        loss: str,
    ) -> None: ...

class Event:
    def __init__(self, *, series: str, above: bool, bound: float, over_step_size: bool) -> None: ...

class EventSpec:
    def __init__(self, *, series: str, above: bool, bound: float, lr: str) -> None: ...

class BatchSpec:
    def __init__(self, *, size: int, reshuffle: bool, seed: int) -> None: ...

class FlowSpec:
    def __init__(self, *, step: str, factor: float, every: int, guard: bool) -> None: ...

class OptimizerSpec:
    def __init__(
        self,
        *,
        rule: str,
        momentum: str,
        first_step: list[int],
        lr: list[str],
        event: EventSpec | None = None,
        batch: BatchSpec | None = None,
        flow: FlowSpec | None = None,
    ) -> None: ...

class MinimalistSpec:
    def __init__(self, *, factors: int, u: Values, v: Values) -> None: ...

class TwoLayerSpec:
    def __init__(
        self,
        *,
        width: int,
        contraction: str,
        W: Values,
        a: Values,
        b1: Values,
        b2: Values,
        scale: str,
        kappa: list[str],
        kappa_L: list[str],
    ) -> None: ...

class AdaptiveCadence:
    def __init__(self, *, near: float, stability: float, quiet: int) -> None: ...

class RecordPlan:
    def __init__(
        self,
        *,
        loss: int,
        sharpness: int,
        parameters: int,
        layer_imbalance: int,
        eigenvalues: int,
        quantities: int,
        window: int,
        top: int,
        measured_parameters: bool,
        adaptive: AdaptiveCadence | None = None,
    ) -> None: ...

class LoopSpec:
    def __init__(
        self,
        *,
        steps: int,
        blowup_factor: float | None,
        tol: float | None,
        loss_floor: float,
        max_seconds: float | None,
        record: RecordPlan,
        handover: int | Event | None = None,
    ) -> None: ...

class CurvatureSpec:
    def __init__(
        self,
        *,
        sigma: npt.NDArray[np.float64],
        d: npt.NDArray[np.float64],
        left: npt.NDArray[np.float64],
        X: npt.NDArray[np.float64],
    ) -> None: ...

class TwoLayerCurvatureSpec:
    def __init__(
        self,
        *,
        X: npt.NDArray[np.float64],
        y: npt.NDArray[np.float64],
        scale: float,
        sharpness_tolerance: float,
        eigenvalue_tolerance: float,
        features: int,
        W_at_start: npt.NDArray[np.float64],
    ) -> None: ...

class LoopState:
    def __init__(self, values: dict[str, Any]) -> None: ...
    def values(self) -> dict[str, Any]: ...

def eigenpairs(
    *,
    product: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    n: int,
    largest: int,
    smallest: bool,
    start: list[npt.NDArray[np.float64]],
    tolerance: float,
    basis: int,
    products: int,
) -> dict[str, Any]: ...
def two_layer_quantities() -> list[str]: ...

class TwoLayerOperators:
    def __init__(
        self,
        *,
        rows: int,
        features: int,
        X: npt.NDArray[np.float64],
        y: npt.NDArray[np.float64],
        W: npt.NDArray[np.float64],
        a: npt.NDArray[np.float64],
        b1: npt.NDArray[np.float64],
        b2: npt.NDArray[np.float64],
        scale: float,
        curvature_factor: float,
    ) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def reduced_size(self) -> int: ...
    def hessian(
        self, v: npt.NDArray[np.float64], gauss_newton: bool
    ) -> npt.NDArray[np.float64]: ...
    def reduced_hessian(self, v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
    def direction(self, v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
    def gram(
        self, name: str, v: npt.NDArray[np.float64], step_size: float
    ) -> npt.NDArray[np.float64]: ...

def host_device() -> Any: ...

class Simulation:
    def __init__(
        self,
        *,
        arithmetic: Arithmetic,
        problem: ProblemSpec,
        model: MinimalistSpec | TwoLayerSpec,
        optimizer: OptimizerSpec,
        loop: LoopSpec,
        curvature: CurvatureSpec | TwoLayerCurvatureSpec | None,
        device: Any = None,
        tuning: dict[str, Any] | None = None,
    ) -> None: ...
    def advance(self, seconds: float) -> dict[str, dict[str, Any]]: ...
    def stop(self) -> None: ...
    def resume(self) -> None: ...
    @property
    def outcome(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def step_size(self) -> float: ...
    @property
    def switched(self) -> int: ...
    def parameters(self) -> dict[str, list[str]]: ...
    def state(self) -> LoopState: ...
    def restore(self, state: LoopState) -> None: ...
    def take_over(self, state: LoopState) -> None: ...

class Ensemble:
    def __init__(
        self,
        *,
        arithmetic: Arithmetic,
        problem: ProblemSpec,
        model: MinimalistSpec | TwoLayerSpec,
        optimizer: OptimizerSpec,
        loop: LoopSpec,
        curvature: CurvatureSpec | TwoLayerCurvatureSpec | None,
        starts: npt.NDArray[np.float64] | list[list[str]],
        lrs: list[str],
        seeds: npt.NDArray[np.uint64],
        runs: npt.NDArray[np.uint64],
        device: Any = None,
        tuning: dict[str, Any] | None = None,
    ) -> None: ...
    @property
    def running(self) -> bool: ...
    def __len__(self) -> int: ...
    def advance(self, seconds: float) -> dict[str, dict[str, npt.NDArray[Any]]]: ...
    def stop(self) -> None: ...
    def resume(self) -> None: ...
    def outcomes(self) -> list[str]: ...
    def steps(self) -> npt.NDArray[np.int64]: ...
    def parameters(self, member: int) -> dict[str, list[str]]: ...
    def state(self, member: int) -> LoopState: ...
    def restore(self, member: int, state: LoopState) -> None: ...

def build_info() -> dict[str, str]: ...
def free_thread_caches() -> None: ...
def format_availability(arithmetic: Arithmetic) -> tuple[bool, str]: ...
def operate(
    operation: str,
    format: Format,
    a: list[str],
    b: list[str] = ...,
    *,
    c: list[str] = ...,
    draws: list[int] = ...,
    carrier: str = "staged",
    onto: str = "",
) -> list[str]: ...
def carries(format: Format, carrier: str) -> bool: ...

class PlainMpfr:
    def __init__(
        self, *, precision: int, X: Values, y: Values, u: Values, v: str, lr: str
    ) -> None: ...
    def advance(self, steps: int, preactivations: str, gradient: str) -> None: ...
    def preactivations(self, outer: str, repeats: int = 1) -> None: ...
    def residuals(self) -> None: ...
    def gradient(self, outer: str, repeats: int = 1) -> None: ...
    def update(self, repeats: int = 1) -> None: ...
    @property
    def f(self) -> list[str]: ...
    @property
    def g(self) -> list[str]: ...
    @property
    def u(self) -> list[str]: ...
    @property
    def v(self) -> list[str]: ...
    @property
    def loss(self) -> float: ...

class Stages:
    def __init__(
        self, *, precision: int, X: Values, y: Values, u: Values, v: str, lr: str
    ) -> None: ...
    def preactivations(self, repeats: int = 1) -> None: ...
    def residuals(self) -> None: ...
    def gradient(self, repeats: int = 1) -> None: ...
    def update(self, repeats: int = 1) -> None: ...
    @property
    def f(self) -> list[str]: ...
    @property
    def g(self) -> list[str]: ...
    @property
    def u(self) -> list[str]: ...

class LimbLayout:
    limbs: int
    limb_bits: int
    lanes: int

class ReadBuffer:
    def __init__(self, size: int) -> None: ...
    def read(self, times: int) -> bool: ...

def dependent_additions(n: int) -> int: ...
def limb_layout(precision: int) -> LimbLayout | None: ...
