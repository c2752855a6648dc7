"""`precipice info`: what this installation is made of and what it can run."""

from __future__ import annotations

import json
import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from precipice.cli.formats import show
from precipice.errors import InvalidArgument

# One MPFR format stands for all; 113 bits is where the default comparison starts to differ.
_FORMATS = ("float32", "float64", "float80", "float128", "double_double", "mpfr113")


@click.command("info")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--formats", is_flag=True, help="Say everything about number formats, or the NAMEd.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def command(names: tuple[str, ...], formats: bool, as_json: bool) -> None:
    """Say versions, number formats, the processor and its memory."""
    if formats:
        show(names, as_json=as_json)
        return
    if names:
        raise InvalidArgument("name", " ".join(names), "needs --formats")
    facts = gather()
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for heading, entries in facts.items():
        click.echo(f"{heading}")
        for name, entry in entries.items():
            click.echo(f"  {name:<13} {_entry_text(entry)}")


def gather() -> dict[str, dict[str, Any]]:
    """Return everything that `precipice info` says, in sections."""
    from precipice import devices
    from precipice.executor import available_cores, machine_memory

    return {
        "versions": {
            "precipice": _version("precipice"),
            "python": platform.python_version(),
            "numpy": _version("numpy"),
            "gmpy2": _version("gmpy2"),
        },
        "core": _core(),
        "formats": {name: _format(name) for name in _FORMATS},
        "cuda": devices.describe(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": available_cores(),
            "memory": f"{machine_memory() / 2**30:.1f} GiB",
        },
    }


def _core() -> dict[str, str]:
    """Return the compiled core's own account of itself, or why it is not here."""
    try:
        core = import_module("precipice._core")
    except ImportError as error:
        return {"missing": " ".join(str(error).split())}
    return {str(key): str(value) for key, value in core.build_info().items()}


def _format(name: str) -> dict[str, Any]:
    """Return one format's numbers and whether it can be run here."""
    from precipice.precision import Precision

    precision = Precision.parse(name)
    available, how = precision.availability()
    return {
        "bits": precision.bits,
        "emin": precision.emin,
        "emax": precision.emax,
        "available": available,
        "how": how,
    }


def _version(package: str) -> str:
    """Return an installed package's version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _entry_text(entry: Any) -> str:
    """Return one entry as a reader wants it."""
    if not isinstance(entry, dict):
        return str(entry)
    mark = "yes" if entry["available"] else "no "
    return f"{mark}  {entry['bits']:>4} bits  {entry['how']}"
