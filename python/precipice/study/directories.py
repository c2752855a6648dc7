"""Results in a directory: written whole or not at all, and never over something else."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from precipice.errors import InvalidArgument


def checked_target(
    directory: str | Path, files: frozenset[str], asks_the_same: Callable[[Path], bool], what: str
) -> Path:
    """Return the real path of a directory that results may be written to.

    Leaves nothing behind, so that it can be asked before anything is computed; what will have to
    be made is made and removed again, since nothing else tells whether it can be.

    Parameters
    ----------
    directory : str or Path
        Where the results are to go.
    files : frozenset of str
        All that they consist of.
    asks_the_same : callable
        Whether a directory with such files holds results that may be replaced.
    what : str
        The kind of results, for the error message.

    Raises
    ------
    InvalidArgument
        If the directory holds something else or cannot be made.
    """
    try:
        target = Path(directory).resolve()
        _check_contents(target, str(directory), files, asks_the_same, what)
        _check_writable(target)
    except InvalidArgument:
        raise
    # A name too long, a null byte, a circle of links, no permission.
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        rule = f"must be a directory one can write ({why})"
        raise InvalidArgument("out", str(directory), rule) from None
    return target


def write_directory(target: Path, files: frozenset[str], write: Callable[[Path], None]) -> None:
    """Write files beside a directory, sync them to disk and move them into place in one step.

    Parameters
    ----------
    target : Path
        What `checked_target` returned.
    files : frozenset of str
        All that `write` writes.
    write : callable
        Writes them into the folder it is given.

    Raises
    ------
    OSError
        If the disk is full or fails; the directory then holds what it held.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _staging(target) as staged:
        write(staged)
        for name in files:
            _sync(staged / name)
        _sync(staged)
        _move_into_place(staged, target)


def _check_contents(
    target: Path,
    shown: str,
    files: frozenset[str],
    asks_the_same: Callable[[Path], bool],
    what: str,
) -> None:
    """Refuse a target that must not be replaced."""
    same = f"must be absent, empty, or hold the results of the same {what} and nothing else"
    if target == Path.cwd() or os.path.ismount(target):
        rule = "must not be the current directory or a mount point: it is replaced"
        raise InvalidArgument("out", shown, rule)
    if not target.exists():
        return
    if not target.is_dir():
        raise InvalidArgument("out", shown, f"{same}; it is a file")
    found = {entry.name for entry in target.iterdir()}
    strangers = sorted(found - files)
    if strangers:
        raise InvalidArgument("out", shown, f"{same}; it holds {strangers[0]}")
    if found and not asks_the_same(target):
        raise InvalidArgument("out", shown, f"{same}; it holds other results")


def _check_writable(target: Path) -> None:
    """Make every directory that saving will make, and remove it again."""
    made: list[Path] = []
    try:
        for folder in (*reversed(target.parents), target, _beside(target)):
            if not folder.exists():
                folder.mkdir()
                made.append(folder)
    finally:
        for folder in reversed(made):
            with suppress(OSError):  # somebody else has put something there
                folder.rmdir()


def _beside(target: Path) -> Path:
    """Return a new name in the target's directory, short however long the target's own is."""
    return target.with_name(f".precipice-{secrets.token_hex(6)}")


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Give a new directory beside the target; whatever is left of it goes away."""
    staged = _beside(target)
    staged.mkdir()
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _move_into_place(staged: Path, target: Path) -> None:
    """Put the staged directory where the target is; the old one ends up as the staged one."""
    if not target.exists() or not any(target.iterdir()):
        staged.rename(target)  # POSIX renames over an empty directory
    elif not _exchange(staged, target):
        retired = _beside(target)
        target.rename(retired)
        staged.rename(target)
        shutil.rmtree(retired)
    _sync(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two directories in one step where Linux offers it; return whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    at_current_directory, exchange = -100, 2
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    status = rename(
        at_current_directory, os.fsencode(one), at_current_directory, os.fsencode(other), exchange
    )
    return bool(status == 0)


def _sync(path: Path) -> None:
    """Make sure that a file or directory has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
