from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64] | list[str]

class Format:
    name: str
    precision: int
    emin: int
    emax: int
    subnormals: bool

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
        lr: str,
        loss: str,
    ) -> None: ...

class MinimalistSpec:
    def __init__(self, *, factors: int, u: Values, v: Values) -> None: ...

class TwoLayerSpec:
    def __init__(
        self, *, width: int, contraction: str, W: Values, a: Values, scale: str, kappa: str
    ) -> None: ...

class RecordPlan:
    def __init__(
        self,
        *,
        loss: int,
        sharpness: int,
        parameters: int,
        layer_imbalance: int,
        measured_parameters: bool,
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
        start: npt.NDArray[np.float64],
        tolerance: float,
    ) -> None: ...

class LoopState:
    def __init__(
        self,
        *,
        step: int,
        current: dict[str, list[str]],
        previous: dict[str, list[str]],
        returned: bool,
        blowup_reference: float,
        seconds: float,
        curvature: list[float],
    ) -> None: ...
    step: int
    current: dict[str, list[str]]
    previous: dict[str, list[str]]
    returned: bool
    blowup_reference: float
    seconds: float
    curvature: list[float]

class Simulation:
    def __init__(
        self,
        *,
        precision: str,
        problem: ProblemSpec,
        model: MinimalistSpec | TwoLayerSpec,
        loop: LoopSpec,
        curvature: CurvatureSpec | TwoLayerCurvatureSpec | None,
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
    def parameters(self) -> dict[str, list[str]]: ...
    def state(self) -> LoopState: ...
    def restore(self, state: LoopState) -> None: ...

def build_info() -> dict[str, str]: ...
def free_thread_caches() -> None: ...
def parse_format(name: str) -> Format: ...
def named_formats() -> list[str]: ...
def format_availability(name: str) -> tuple[bool, str]: ...

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
