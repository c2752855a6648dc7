"""Files that are written whole or not at all."""

from __future__ import annotations

import pytest

from precipice.whole_files import whole_file


def test_a_file_is_there_once_it_is_whole(tmp_path):
    path = tmp_path / "numbers.json"
    path.write_bytes(b"before")
    with whole_file(path) as file:
        file.write(b"after")
        file.flush()
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_nothing(tmp_path):
    path = tmp_path / "numbers.json"
    path.write_bytes(b"before")

    def fail():
        with whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
