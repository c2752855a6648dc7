"""A run's exact state on disk, from which it goes on as if it had never stopped.

A checkpoint is a folder: ``state.json`` with the state between two steps (all numbers as exact
text), and the series recorded until then in numbered segments, each written once. Every file is
written beside its place, synced and renamed; ``state.json`` last, so that it only ever names
segments that are whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from precipice.archive import read_arrays
from precipice.errors import InvalidArgument
from precipice.whole_files import whole_file

SCHEMA_VERSION = 1
_STATE = "state.json"

Block = dict[str, dict[str, Any]]


class Checkpoint:
    """The checkpoint of one run.

    Parameters
    ----------
    directory : Path
        Its folder; made when first written.
    spec : dict
        Everything that the run's numbers depend on, as JSON-able data. A checkpoint of another
        spec is refused.
    """

    def __init__(self, directory: str | Path, spec: dict[str, Any]) -> None:
        self.directory = Path(directory)
        self._spec = json.loads(json.dumps(spec))
        self._segments = 0

    @property
    def exists(self) -> bool:
        """Whether there is a state to go on from."""
        return (self.directory / _STATE).is_file()

    def save(self, state: dict[str, Any], blocks: list[Block]) -> None:
        """Write what was recorded since the last call, and then the state.

        Parameters
        ----------
        state : dict
            JSON-able.
        blocks : list of Block
            New records.

        Raises
        ------
        InvalidArgument
            If the folder cannot be written.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if blocks:
                self._write_segment(blocks)
            document = {
                "schema_version": SCHEMA_VERSION,
                "spec_sha256": _digest(self._spec),
                "spec": self._spec,
                "segments": self._segments,
                "state": state,
            }
            _write(self.directory / _STATE, json.dumps(document).encode())
        except OSError as error:
            rule = f"must be a folder that can be written ({error.strerror or error})"
            raise InvalidArgument("checkpoint", str(self.directory), rule) from None

    def load(self) -> tuple[dict[str, Any], list[Block]]:
        """Return the state and all records until then; later calls of `save` add to them.

        Raises
        ------
        InvalidArgument
            If the checkpoint is of another spec, or damaged.
        """
        path = self.directory / _STATE
        try:
            document = json.loads(path.read_bytes())
            spec, digest = document["spec"], document["spec_sha256"]
            if document["schema_version"] != SCHEMA_VERSION or digest != _digest(spec):
                raise ValueError("its hash or version does not fit")
            segments, state = int(document["segments"]), dict(document["state"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(path, error) from None
        if spec != self._spec:
            changed = ", ".join(_differences(spec, self._spec))
            rule = f"must be of the same run; it differs in {changed}"
            raise InvalidArgument("checkpoint", str(self.directory), rule)
        blocks = [self._read_segment(number) for number in range(segments)]
        self._segments = segments
        return state, blocks

    def _segment(self, number: int) -> Path:
        return self.directory / f"records-{number:06d}.npz"

    def _write_segment(self, blocks: list[Block]) -> None:
        path = self._segment(self._segments)
        arrays = {
            f"{name}.{column}": np.concatenate([block[name][column] for block in blocks])
            for name in blocks[0]
            for column in blocks[0][name]
            if column != "text"
        }
        for name in blocks[0]:
            if "text" in blocks[0][name]:
                texts = [text for block in blocks for text in block[name]["text"]]
                arrays[f"{name}.text"] = np.array(texts, dtype=np.str_)
        with whole_file(path) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # arrays by name
        self._segments += 1

    def _read_segment(self, number: int) -> Block:
        rule = "must be whole and readable"
        arrays = read_arrays(self._segment(number), argument="checkpoint", rule=rule)
        block: Block = {}
        for key, values in arrays.items():
            name, column = key.split(".")
            block.setdefault(name, {})[column] = values.tolist() if column == "text" else values
        return block


def _digest(spec: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()


def _differences(one: Any, other: Any, name: str = "") -> list[str]:
    """Return the names of the entries in which two specs differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [
            difference
            for key in keys
            for difference in _differences(
                one.get(key), other.get(key), f"{name}.{key}" if name else key
            )
        ]
    return [] if one == other else [name]


def _damaged(path: Path, error: Exception) -> InvalidArgument:
    return InvalidArgument("checkpoint", str(path), f"must be whole and readable ({error})")


def _write(path: Path, content: bytes) -> None:
    """Write a file whole, and sync its folder too."""
    with whole_file(path) as file:
        file.write(content)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
