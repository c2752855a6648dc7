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

class Simulation:
    def __init__(
        self,
        *,
        format: str,
        samples: int,
        features: int,
        factors: int,
        X: Values,
        y: Values,
        u: Values,
        v: Values,
        lr: str,
        loss: str,
        steps: int,
        blowup_factor: float | None,
        tol: float | None,
        loss_floor: float,
        max_seconds: float | None,
        record_loss: int,
        record_sharpness: int,
        record_parameters: int,
        record_layer_imbalance: int,
        curvature: dict[str, npt.NDArray[np.float64]] | None,
    ) -> None: ...
    def advance(self, seconds: float) -> dict[str, dict[str, Any]]: ...
    def stop(self) -> None: ...
    @property
    def outcome(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def step_size(self) -> float: ...
    def parameters(self) -> dict[str, list[str]]: ...

def build_info() -> dict[str, str]: ...
def free_thread_caches() -> None: ...
def parse_format(name: str) -> Format: ...
def named_formats() -> list[str]: ...
def format_availability(name: str) -> tuple[bool, str]: ...
