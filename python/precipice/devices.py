"""Where runs are carried out: on the processor, or on an NVIDIA GPU with the same bits.

`precipice.placement` says which runs a GPU carries out. The host device runs the GPU's text on the
processor, lane after lane: for tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from precipice.errors import InvalidArgument

NAMES = ("cpu", "cuda", "auto")
_EXTENSION = "precipice._cuda"

# Of the CUDA runtime (cudaError_t).
_STUB, _BUSY, _NO_DRIVER, _NO_DEVICE = 34, 46, 35, 100
_NO_KERNEL_IMAGE, _PTX_TOO_NEW, _MISMATCH, _NOT_COMPATIBLE = 209, 222, 803, 804
_SENTENCES = {
    _STUB: "the CUDA driver library found is a stub without a driver behind it",
    _BUSY: "every CUDA device is busy, or set to be used by nobody",
    _NO_DEVICE: "driver present, no device visible (CUDA_VISIBLE_DEVICES?)",
    _NO_KERNEL_IMAGE: "this build has no kernels for this GPU's architecture",
    _PTX_TOO_NEW: "this build's PTX is newer than the driver can compile",
    _MISMATCH: "the NVIDIA driver and its library are of different versions: reboot, or reinstall",
    _NOT_COMPATIBLE: "this GPU cannot run a CUDA newer than its driver's (forward compatibility)",
}


@dataclass(frozen=True, eq=False)
class Device:
    """Where a run is carried out.

    Attributes
    ----------
    name : str
    sentence : str
        As results say it.
    table : capsule or None
        What the core calls; None for the processor itself.
    instead : str
        Why it is not the GPU that "auto" looked for; empty where nothing else was wanted.
    """

    name: str
    sentence: str
    table: Any = None
    instead: str = ""


PROCESSOR = Device("cpu", "cpu")


@dataclass(frozen=True)
class Probe:
    """What the CUDA runtime says of this machine.

    Attributes
    ----------
    error : int
        0 if kernels can run.
    driver, runtime : int
        CUDA versions, 1000 major + 10 minor; 0 where there is none.
    devices : int
    """

    error: int
    driver: int
    runtime: int
    devices: int


def host() -> Device:
    """Return the device that runs the GPU's text on the processor, lane after lane."""
    return Device("host", "host lanes", import_module("precipice._core").host_device())


def find(device: str | Device) -> Device:
    """Return the device of a name.

    Parameters
    ----------
    device : {"cpu", "cuda", "auto"} or Device
        "auto" is the GPU if there is one that works, else the processor.

    Raises
    ------
    InvalidArgument
        If there is no such name, or no GPU for "cuda".
    """
    if isinstance(device, Device):
        return device
    if device not in NAMES:
        raise InvalidArgument("device", device, "must be cpu, cuda or auto")
    if device == "cpu":
        return PROCESSOR
    extension = _extension()
    failure = _failure(extension)
    if failure is None:
        return Device("cuda", f"cuda: {_model(extension)}", extension.device())
    if device == "cuda":
        raise InvalidArgument("device", device, failure)
    return replace(PROCESSOR, instead=failure)


def say_fallback(devices: Iterable[Device]) -> None:
    """Write to stderr why what "auto" chose is the processor, each reason in one line."""
    for reason in dict.fromkeys(device.instead for device in devices if device.instead):
        print(f"device auto: {reason}; runs on the processor", file=sys.stderr)


def describe() -> dict[str, str]:
    """Return what `precipice info` says of GPUs."""
    extension = _extension()
    failure = _failure(extension)
    described = {"gpu": failure if failure is not None else _model(extension)}
    if extension is None or isinstance(extension, ImportError):
        return described
    probe = Probe(*extension.probe())
    return described | {
        "driver": f"CUDA {_version(probe.driver)}" if probe.driver else "none",
        "extension": f"CUDA {_version(probe.runtime)}, architectures {extension.architectures}",
    }


def cuda_sentence(probe: Probe, described: str = "") -> str | None:
    """Return why a GPU cannot be used, None if it can.

    Parameters
    ----------
    probe : Probe
    described : str
        The CUDA runtime's own words, for errors without a sentence here.
    """
    if probe.error == _NO_DRIVER:
        if probe.driver == 0:
            return "no NVIDIA driver on this machine"
        wanted, there = _version(probe.runtime), _version(probe.driver)
        return f"driver supports CUDA {there}, this build needs {wanted}"
    if probe.error in _SENTENCES:
        return _SENTENCES[probe.error]
    if probe.error:
        return f"CUDA error {probe.error}: {described}"
    return None if probe.devices else _SENTENCES[_NO_DEVICE]


def _extension() -> Any:
    """Return the CUDA extension; None if it was not built, the error if it cannot be loaded."""
    if _EXTENSION not in sys.modules and find_spec(_EXTENSION) is None:
        return None
    try:
        return import_module(_EXTENSION)
    except ImportError as error:
        return error


def _failure(extension: Any) -> str | None:
    if extension is None:
        return "built without CUDA (no nvcc at build time)"
    if isinstance(extension, ImportError):
        return f"the CUDA extension cannot be loaded ({' '.join(str(extension).split())})"
    probe = Probe(*extension.probe())
    return cuda_sentence(probe, extension.describe(probe.error))


def _model(extension: Any) -> str:
    facts = extension.facts()
    gigabytes = facts["bytes"] / 2**30
    return f"{facts['name']}, compute capability {facts['compute_capability']}, {gigabytes:.0f} GiB"


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
