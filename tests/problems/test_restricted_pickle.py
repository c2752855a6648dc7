"""The reader of pickles that hold plain data: what it takes, and that nothing planted gets in."""

from __future__ import annotations

import copyreg
import pickle
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from official_batches import python_batch, random_rows
from precipice.problems.restricted_pickle import RefusedPickle, read_plain_pickle

LABEL = b"U\x15training batch 1 of 5"


@pytest.mark.parametrize("count", [1, 3, 2001])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_batch_is_read_as_python_reads_it(count: int, order: str) -> None:
    rows, labels = random_rows(count)
    content = python_batch(np.asarray(rows, order=order), labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy.core has moved
        expected = pickle.loads(content, encoding="bytes")
    batch = read_plain_pickle(content)
    assert set(batch) == set(expected)
    assert batch[b"data"].dtype == np.uint8
    np.testing.assert_array_equal(batch.pop(b"data"), expected.pop(b"data"))
    assert batch == expected
    assert batch[b"labels"] == labels.tolist()


def test_plain_data_of_every_admitted_kind() -> None:
    content = (
        b"\x80\x02}q\x00(U\x01a(K\x01M\x01\x02J\xfe\xff\xff\xff\x8a\x05\x00\x00\x00\x00\x01t"
        b"U\x01b](N\x88\x89)eU\x01c]q\x01K\x07aU\x01dh\x01U\x01eK\x01\x85U\x01fK\x01K\x02\x86"
        b"U\x01gK\x01K\x02K\x03\x87U\x01hT\x02\x00\x00\x00\xff\x00uU\x01i}s."
    )
    expected = pickle.loads(content, encoding="bytes")
    assert expected[b"a"] == (1, 513, -2, 2**32)
    assert read_plain_pickle(content) == expected


def test_numpys_present_module_name_is_the_same_name() -> None:
    rows, labels = random_rows(2)
    content = python_batch(rows, labels)
    moved = content.replace(b"cnumpy.core.multiarray\n", b"cnumpy._core.multiarray\n")
    np.testing.assert_array_equal(read_plain_pickle(moved)[b"data"], rows)


# What a planted instruction stream would do is leave a file behind.
PLANTED = {
    "os.system": b"cos\nsystem\n(U\x0ctouch TARGETtR",
    "posix.system": b"cposix\nsystem\nU\x0ctouch TARGET\x85R",
    "builtins.eval": b"cbuiltins\neval\nU\x12open('TARGET', 'w')\x85R",
    "__builtin__.eval": b"c__builtin__\neval\nU\x12open('TARGET', 'w')\x85R",
    "builtins.open": b"cbuiltins\nopen\nU\x06TARGETU\x01w\x86R",
    "numpy.load": b"cnumpy\nload\nU\x06TARGET\x85R",
    "numpy.save": b"cnumpy\nsave\nU\x06TARGETK\x01\x86R",
    "numpy.core.multiarray.fromfile": b"cnumpy.core.multiarray\nfromfile\nU\x06TARGET\x85R",
    "numpy.core.multiarray.scalar": b"cnumpy.core.multiarray\nscalar\n)R",
    "numpy.matrix": b"cnumpy\nmatrix\nK\x00\x85R",
    "numpy.memmap": b"cnumpy\nmemmap\nU\x06TARGET\x85R",
    "copyreg._reconstructor": b"ccopyreg\n_reconstructor\ncnumpy\nndarray\n\x85R",
    "copy_reg._reconstructor": b"ccopy_reg\n_reconstructor\ncnumpy\nndarray\n\x85R",
    "_codecs.encode": b"c_codecs\nencode\nU\x01a\x85R",
    "numpy.ndarray.tofile": b"cnumpy\nndarray.tofile\nU\x06TARGET\x85R",
    "numpy ndarray": b"cnumpy ndarray\n\n",
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_object_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = python_batch(*random_rows(2))
    assert content.count(LABEL) == 1
    for planted in (b"\x80\x02" + PLANTED[name] + b".", content.replace(LABEL, PLANTED[name])):
        with pytest.raises(RefusedPickle, match=r"^the object '"):
            read_plain_pickle(planted)
    assert list(tmp_path.iterdir()) == []


def test_the_planted_objects_would_work_on_pythons_own_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(b"\x80\x02" + PLANTED["os.system"] + b".", encoding="latin-1")
    assert [file.name for file in tmp_path.iterdir()] == ["TARGET"]


@pytest.mark.parametrize(
    ("instructions", "what"),
    [
        (b"(U\x0ctouch TARGETios\nsystem\n", "the pickle instruction INST"),
        (b"(cnumpy\nndarray\nK\x01o", "the pickle instruction OBJ"),
        (b"cnumpy\nndarray\nK\x01\x85\x81", "the pickle instruction NEWOBJ"),
        (b"cnumpy\nndarray\n)}\x92", "the pickle instruction NEWOBJ_EX"),
        (b"\x8c\x02os\x8c\x06system\x93", "the pickle instruction SHORT_BINUNICODE"),
        (b"Pname\n", "the pickle instruction PERSID"),
        (b"K\x01Q", "the pickle instruction BINPERSID"),
        (b"\x82\x01", "the pickle instruction EXT1"),
        (b"U\x01a0N", "the pickle instruction POP"),
        (b"G\x00\x00\x00\x00\x00\x00\x00\x00", "the pickle instruction BINFLOAT"),
        (b"X\x01\x00\x00\x00a", "the pickle instruction BINUNICODE"),
        (b"S'a'\n", "the pickle instruction STRING"),
    ],
)
def test_other_instructions_are_refused(instructions: bytes, what: str) -> None:
    with pytest.raises(RefusedPickle, match=f"^{what}$"):
        read_plain_pickle(b"\x80\x02" + instructions + b".")


def test_the_extension_registry_is_not_consulted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Target:
        pass

    monkeypatch.setattr(sys.modules[__name__], "Target", Target, raising=False)
    copyreg.add_extension(__name__, "Target", 240)
    try:
        with pytest.raises(RefusedPickle, match="instruction EXT1"):
            read_plain_pickle(b"\x80\x02\x82\xf0.")
    finally:
        copyreg.remove_extension(__name__, "Target", 240)


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
DTYPE = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
DTYPE_STATE = b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
SIZED = b"(K\x01K\x02K\x03\x86" + DTYPE + DTYPE_STATE + b"\x89U\x06abcdeftb"


def test_the_smallest_array() -> None:
    array = read_plain_pickle(b"\x80\x02" + ARRAY + SIZED + b".")
    assert array.tobytes() == b"abcdef"
    assert array.shape == (2, 3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Calls with other arguments, on other things, and calls of data.
        (b"K\x00\x85U\x01b\x87R", b"K\x01\x85U\x01b\x87R"),
        (b"cnumpy\nndarray\n", b"cnumpy\ndtype\n"),
        (b"U\x02u1K\x00K\x01\x87R", b"U\x02O8K\x00K\x01\x87R"),
        (b"U\x02u1K\x00K\x01\x87R", b"U\x02V1K\x00K\x01\x87R"),
        (b"U\x02u1K\x00K\x01\x87R", b"}\x85R"),
        (b"cnumpy\ndtype\n", b"K\x01"),
        # States of dtypes and arrays that are not those of bytes.
        (DTYPE_STATE, b""),
        (DTYPE_STATE, b"Nb"),
        (DTYPE_STATE, b"}b"),
        (b"(K\x03U\x01|NNN", b"(K\x03U\x01|NU\x01a\x85N"),
        (b"(K\x03U\x01|NNN", b"(K\x03U\x01|DTYPENN".replace(b"DTYPE", DTYPE)),
        (SIZED, b"}(U\x01aK\x01ub"),
        (SIZED, b"N}U\x09__array__K\x01s\x86b"),
        (SIZED, SIZED + SIZED),
        (ARRAY, DTYPE),
        (ARRAY, b"cnumpy\nndarray\n"),
        (ARRAY, b"]"),
        # Sizes.
        (b"K\x02K\x03\x86", b"K\x02K\x04\x86"),
        (b"K\x02K\x03\x86", b"J\xfe\xff\xff\xffJ\xfd\xff\xff\xff\x86"),
        (b"K\x02K\x03\x86", b"K\x06\x85"),
        (b"K\x02K\x03\x86", b"K\x02K\x03K\x01\x87"),
        (b"K\x02K\x03\x86", b"K\x02\x88\x86"),
        (b"K\x02K\x03\x86", b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01K\x00\x86"),
        (b"K\x02K\x03\x86", b"K\x06"),
        (b"\x89U\x06", b"K\x00U\x06"),
        (b"U\x06abcdef", b"K\x06"),
        (b"U\x06abcdef", b"(U\x06abcdefl"),
    ],
)
def test_other_calls_states_and_sizes_are_refused(old: bytes, new: bytes) -> None:
    content = b"\x80\x02" + ARRAY + SIZED + b"."
    assert content.count(old) == 1
    with pytest.raises(RefusedPickle):
        read_plain_pickle(content.replace(old, new))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no whole pickle"),
        (b"\x80\x02", "no whole pickle"),
        (b"\x80\x02}", "no whole pickle"),
        (b"\x80\x02\xff.", "no whole pickle"),
        (b"\x80\x02T\xff\xff\xff\xff.", "no whole pickle"),
        (b"\x80\x02T\xff\xff\xff\x7fa.", "no whole pickle"),
        (b"\x80\x02cos\nsyst\xc3\xa9m\n.", "no whole pickle"),
        (b"\x80\x02}.x", "bytes after the end of the pickle"),
        (b"\x80\x02}.\x80\x02}.", "bytes after the end of the pickle"),
        (b"\x80\x02.", "instructions without their operands"),
        (b"\x80\x02K\x01K\x02.", "instructions without their operands"),
        (b"\x80\x02(K\x01.", "instructions without their operands"),
        (b"\x80\x02t.", "instructions without their operands"),
        (b"\x80\x02K\x01\x86.", "instructions without their operands"),
        (b"\x80\x02h\x05.", "instructions without their operands"),
        (b"\x80\x02q\x05.", "instructions without their operands"),
        (b"\x80\x02K\x01K\x02a.", "entries appended to something other than a list"),
        (b"\x80\x02](K\x01u.", "items set in something other than a dictionary"),
        (b"\x80\x02}(U\x01au.", "items set in something other than a dictionary"),
        (b"\x80\x02}]K\x01s.", "a key that is no string"),
        (b"\x80\x02}K\x01K\x01s.", "a key that is no string"),
    ],
)
def test_broken_pickles_are_refused(content: bytes, what: str) -> None:
    with pytest.raises(RefusedPickle, match=f"^{what}$"):
        read_plain_pickle(content)


@pytest.mark.parametrize(
    "instructions",
    [
        ARRAY,
        DTYPE + DTYPE_STATE,
        b"cnumpy\nndarray\n\x85",
        ARRAY + SIZED + b"\x85cnumpy\ndtype\n\x86\x85",
        b"]q\x01" + ARRAY + b"ah\x01\x86",
        b"}(U\x01a" + ARRAY + b"u",
        # A list that holds itself.
        b"]q\x01h\x01a(" + ARRAY + b"e",
    ],
)
def test_names_and_unfilled_objects_left_over_are_refused(instructions: bytes) -> None:
    with pytest.raises(RefusedPickle, match=r"^an object that is no array of bytes$"):
        read_plain_pickle(b"\x80\x02" + instructions + b".")


def test_a_huge_memo_number_takes_no_memory() -> None:
    assert read_plain_pickle(b"\x80\x02}r\xff\xff\xff\xff.") == {}


def test_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are compared as text: no import happens, not even of what is there already."""
    content = python_batch(*random_rows(1))
    asked: list[object] = []
    monkeypatch.setattr("builtins.__import__", lambda *args, **_: asked.append(args))
    try:
        read_plain_pickle(content)
    finally:
        monkeypatch.undo()
    assert asked == []


def test_damaged_files_are_refused_or_read_never_worse() -> None:
    """Change, drop or repeat bytes everywhere: only RefusedPickle may come out."""
    rows = np.arange(12, dtype=np.uint8).reshape(2, 6)
    content = python_batch(rows, np.array([3, 5]))
    rng = random.Random(1)
    refused = 0
    for trial in range(6000):
        position, damaged = rng.randrange(len(content)), bytearray(content)
        if trial % 3 == 0:
            damaged[position] = rng.randrange(256)
        elif trial % 3 == 1:
            del damaged[position : position + rng.randrange(1, 20)]
        else:
            copied = content[position : position + rng.randrange(1, 40)]
            damaged[rng.randrange(len(content)) : position] = copied
        try:
            _only_plain(read_plain_pickle(bytes(damaged)))
        except RefusedPickle:
            refused += 1
    assert refused > 3000
    for length in range(len(content)):
        with pytest.raises(RefusedPickle):
            read_plain_pickle(content[:length])


def _only_plain(value: object) -> None:
    """Check a result's types, all the way down, on the parts of it that can be visited once."""
    waiting, seen = [value], set()
    while waiting:
        entry = waiting.pop()
        if id(entry) in seen:
            continue
        seen.add(id(entry))
        if isinstance(entry, dict):
            waiting += [*entry.keys(), *entry.values()]
        elif isinstance(entry, (list, tuple)):
            waiting += entry
        elif isinstance(entry, np.ndarray):
            assert entry.dtype == np.uint8
        else:
            assert entry is None or type(entry) in (bool, int, bytes), type(entry)
