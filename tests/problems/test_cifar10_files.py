"""Reading CIFAR-10: the same images out of every format, and every broken file refused."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from official_batches import binary_batch, python_batch, random_rows
from precipice.errors import InvalidArgument
from precipice.problems.cifar10_files import read_images

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PRECIPICE_DATA", ROOT.parent / "shared" / "data"))
BINARY = DATA / "cifar-10-batches-bin"
CATS_AND_DOGS = DATA / "cifar10-cat-dog.npz"

WRITERS: dict[str, Callable[[np.ndarray, np.ndarray], bytes]] = {
    ".bin": binary_batch,
    "": python_batch,
}
KINDS = pytest.mark.parametrize("suffix", WRITERS, ids=["binary", "python"])


def write(folder: Path, suffix: str, **batches: tuple[np.ndarray, np.ndarray]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, (rows, labels) in batches.items():
        (folder / f"{name}{suffix}").write_bytes(WRITERS[suffix](rows, labels))
    return folder


def refused(path: object, split: str = "train") -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        read_images(path, split)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return caught.value


@KINDS
def test_one_file(tmp_path: Path, suffix: str) -> None:
    rows, labels = random_rows(12)
    file = write(tmp_path, suffix, my_images=(rows, labels)) / f"my_images{suffix}"
    data = read_images(file)
    assert data.images.shape == (12, 32, 32, 3)
    assert data.images.dtype == np.uint8
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == [*range(10), 0, 1]
    # Pixel (row 2, column 5) of the green plane.
    assert (data.images[:, 2, 5, 1] == rows[:, 1024 + 2 * 32 + 5]).all()
    np.testing.assert_array_equal(data.images.transpose(0, 3, 1, 2).reshape(12, 3072), rows)
    assert data.files == {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    assert read_images(str(file)).files == data.files


@KINDS
def test_a_folder_is_read_in_the_order_of_the_batches(tmp_path: Path, suffix: str) -> None:
    parts = {f"data_batch_{k}": random_rows(3 + k, seed=k) for k in (4, 1, 5)}
    folder = write(tmp_path, suffix, **parts, test_batch=random_rows(7, seed=9))
    (folder / "batches.meta").write_bytes(b"")
    (folder / "data_batch_2.txt").write_bytes(b"")
    (folder / "data_batch_3").mkdir()
    data = read_images(folder)
    expected = np.concatenate([parts[f"data_batch_{k}"][0] for k in (1, 4, 5)])
    count = len(expected)
    np.testing.assert_array_equal(data.images.transpose(0, 3, 1, 2).reshape(count, -1), expected)
    assert data.labels.tolist() == [*range(4), *range(7), *range(8)]
    assert list(data.files) == [f"data_batch_{k}{suffix}" for k in (1, 4, 5)]
    assert read_images(folder, "test").labels.tolist() == [*range(7)]
    assert list(read_images(folder, "test").files) == [f"test_batch{suffix}"]


def test_arrays_stored_by_columns_are_the_same_images(tmp_path: Path) -> None:
    rows, labels = random_rows(5)
    write(tmp_path, "", by_rows=(rows, labels), by_columns=(np.asfortranarray(rows), labels))
    by_rows, by_columns = (read_images(tmp_path / name) for name in ("by_rows", "by_columns"))
    assert by_rows.files != by_columns.files
    np.testing.assert_array_equal(by_rows.images, by_columns.images)


@pytest.mark.skipif(
    not (BINARY.exists() and CATS_AND_DOGS.exists()), reason=f"needs CIFAR-10 files in {DATA}"
)
def test_every_format_holds_the_same_real_images(tmp_path: Path) -> None:
    binary = read_images(BINARY)
    rows = binary.images.transpose(0, 3, 1, 2).reshape(len(binary.labels), -1)
    python = read_images(write(tmp_path, "", data_batch_1=(rows, binary.labels)))
    np.testing.assert_array_equal(python.images, binary.images)
    np.testing.assert_array_equal(python.labels, binary.labels)
    archive = read_images(CATS_AND_DOGS)
    with np.load(CATS_AND_DOGS) as stored:
        index = stored["index"]
    here = index < len(binary.labels)
    assert here.sum() == np.isin(binary.labels, (3, 5)).sum() > 300
    np.testing.assert_array_equal(binary.images[index[here]], archive.images[here])
    np.testing.assert_array_equal(binary.labels[index[here]], archive.labels[here])


@pytest.mark.parametrize("change", [-3073 * 4, -3073, -1, 1, 3072])
def test_binary_files_of_another_size_are_refused(tmp_path: Path, change: int) -> None:
    content = binary_batch(*random_rows(4))
    file = tmp_path / "data_batch_1.bin"
    file.write_bytes((content + bytes(4000))[: len(content) + change])
    if change == -3073:  # whole records, as a shortened copy has
        assert len(read_images(tmp_path).labels) == 3
        return
    error = refused(tmp_path)
    assert (error.argument, error.value) == ("path", str(file))
    assert error.rule == (
        "must hold whole records of 3073 bytes (a class id and 3072 pixels); "
        f"it has {len(content) + change} bytes"
    )


def test_a_wrong_label_byte_is_refused(tmp_path: Path) -> None:
    rows, labels = random_rows(6)
    labels[[3, 5]] = 10, 255
    error = refused(write(tmp_path, ".bin", data_batch_2=(rows, labels)))
    assert error.value == str(tmp_path / "data_batch_2.bin")
    assert error.rule == "must hold class ids 0 to 9; record 3 has 10"


def test_truncated_python_files_are_refused(tmp_path: Path) -> None:
    content = python_batch(*random_rows(2))
    file = tmp_path / "data_batch_1"
    for length in (0, 1, 2, 40, 200, 3000, len(content) - 200, len(content) - 1):
        file.write_bytes(content[:length])
        error = refused(tmp_path)
        assert (error.argument, error.value) == ("path", str(file))
        assert error.rule == "must be one of CIFAR-10's python files; found: no whole pickle"
    file.write_bytes(content + b"\x00")
    assert refused(file).rule.endswith("found: bytes after the end of the pickle")


def test_a_planted_object_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    label, planted = b"U\x15training batch 1 of 5", b"cos\nsystem\nU\x0ctouch TARGET\x85R"
    content = python_batch(*random_rows(2)).replace(label, planted)
    (tmp_path / "data_batch_1").write_bytes(content)
    assert refused(tmp_path).rule == (
        "must be one of CIFAR-10's python files; found: the object 'os.system'"
    )
    # Nor do a name's control characters reach the terminal.
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02c\x1b[2J\nname\n.")
    assert refused(tmp_path).rule.endswith(r"the object '\x1b[2J.name'")
    assert [file.name for file in tmp_path.iterdir()] == ["data_batch_1"]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"U\x06labels", b"U\x0bfine_labels", ", a dictionary of batch_label, data, filenames an"),
        (b"U\x0bbatch_labelq\x0aU\x15training batch 1 of 5", b"", ", a dictionary of batch_label"),
        (b"U\x04dataq\x02", b"U\x04dataK\x01U\x05extra", ", a dictionary of batch_label, data, "),
        (b"K\x03M\x00\x0c\x86", b"M\x00\x0cK\x03\x86", ": data must be bytes of shape (count, 30"),
        (b"K\x00K\x01K\x02e", b"K\x00K\x01e", ": labels must be a list of 3, one for every image"),
        (b"K\x00K\x01K\x02e", b"K\x00K\x01\x88e", ": labels must be a list of integers"),
        (b"K\x00K\x01K\x02e", b"K\x00K\x01Ne", ": labels must be a list of integers"),
        (b"K\x00K\x01K\x02e", b"K\x00K\x0aK\x02e", ": labels must be class ids 0 to 9"),
        (b"(K\x00K\x01K\x02e", b"(K\x00J\xff\xff\xff\xffK\x02e", ": labels must be class ids 0 to"),
        (b"]q\x09(K\x00K\x01K\x02e", b"K\x00K\x01K\x02\x87", ": labels must be a list of 3, one"),
        (b"U\x19tipper_truck_s_000001.png", b"K\x01", ": filenames must be a list of strings"),
        (b"U\x19tipper_truck_s_000001.pngq\x0f", b"", ": filenames must be a list of 3, one for"),
    ],
)
def test_python_files_of_other_content_are_refused(
    tmp_path: Path, old: bytes, new: bytes, rule: str
) -> None:
    content = python_batch(*random_rows(3))
    assert content.count(old) == 1
    (tmp_path / "batch").write_bytes(content.replace(old, new))
    found = refused(tmp_path / "batch").rule
    assert found.startswith(f"must be one of CIFAR-10's python files{rule}")


@pytest.mark.parametrize("content", [b"\x80\x02]q\x01.", b"\x80\x02N.", b"\x80\x02K\x01."])
def test_other_data_is_no_batch(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "batch").write_bytes(content)
    assert ", a dictionary of batch_label" in refused(tmp_path / "batch").rule


def test_a_batch_without_an_array_is_refused(tmp_path: Path) -> None:
    items = b"U\x0bbatch_labelNU\x06labels]U\x09filenames]U\x04data]"
    (tmp_path / "batch").write_bytes(b"\x80\x02}(" + items + b"u.")
    assert refused(tmp_path / "batch").rule.endswith("shape (count, 3072), and is something else")


def test_folders_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    images = random_rows(2)
    error = refused(tmp_path)
    assert (error.argument, error.value) == ("path", str(tmp_path))
    names = "data_batch_1.bin or data_batch_1, …"
    assert error.rule == (
        f"must hold one kind of CIFAR-10's train files ({names}); it holds neither"
    )
    write(tmp_path, ".bin", data_batch_1=images)
    assert "CIFAR-10's test files (test_batch.bin or" in refused(tmp_path, "test").rule
    write(tmp_path, "", data_batch_3=images)
    assert refused(tmp_path).rule.endswith("it holds both kinds: give a file")


def test_paths_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "images.png").write_bytes(b"")
    for path, rule in (
        (tmp_path / "absent.npz", "no such file"),
        (tmp_path / "absent" / "data_batch_1.bin", "no such file"),
        (tmp_path / "images.png", "must be an .npz file, an official batch file (data_batch_1.bin"),
        (7, "must be an .npz file, an official batch file"),
        (None, "must be an .npz file, an official batch file"),
        (tmp_path / ("x" * 300), "must be a readable file (File name too long)"),
    ):
        error = refused(path)
        assert error.argument == "path"
        assert error.rule.startswith(rule)
    for path in ("images\0.bin", "images\0"):
        assert refused(path).argument == "path"


@KINDS
def test_what_is_no_regular_file_is_refused(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"data_batch_1{suffix}")
    assert refused(tmp_path / f"data_batch_1{suffix}").rule.startswith("must be an .npz file, an")
    assert refused(tmp_path).rule.endswith("it holds neither")


@KINDS
def test_unreadable_files_are_refused(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    write(tmp_path, suffix, data_batch_1=random_rows(2))
    monkeypatch.setattr(Path, "open", denied)
    monkeypatch.setattr(Path, "read_bytes", denied)
    assert refused(tmp_path).rule == "must be a readable file (Permission denied)"


@KINDS
def test_the_split_is_a_deliberate_choice(tmp_path: Path, suffix: str) -> None:
    images = random_rows(2)
    write(tmp_path, suffix, data_batch_1=images, test_batch=images, other=images)
    test_file = tmp_path / f"test_batch{suffix}"
    assert len(read_images(test_file, "test").labels) == 2
    error = refused(test_file)
    assert (error.argument, error.value) == ("split", "train")
    assert error.rule.startswith("must be test: ")
    for name in ("data_batch_1", "other"):
        error = refused(tmp_path / f"{name}{suffix}", "test")
        assert (error.argument, error.value) == ("split", "test")
        assert error.rule.startswith("must be train: ")
    for split in ("both", "", None, ["train"]):
        assert refused(tmp_path, split).rule == "must be train or test"  # type: ignore[arg-type]


def test_an_archive_with_other_class_ids_is_refused(tmp_path: Path) -> None:
    images = np.zeros((3, 32, 32, 3), np.uint8)
    for wrong in (10, -1):
        np.savez(tmp_path / "c.npz", images=images, labels=np.array([3, wrong, wrong]))
        message = str(refused(tmp_path / "c.npz"))
        assert message == f"labels[1] = {wrong}: must be CIFAR-10's class ids, 0 to 9"


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    rows, labels = random_rows(20)
    images = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    np.savez_compressed(tmp_path / "whole.npz", images=images, labels=labels)
    content = (tmp_path / "whole.npz").read_bytes()
    rng = np.random.default_rng(0)
    refusals = 0
    for trial in range(400):
        damaged = bytearray(content)
        # Every other time among the headers at the front and the back.
        place = rng.integers(len(content)) if trial % 2 else rng.integers(-400, 400)
        damaged[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "damaged.npz").write_bytes(damaged)
        try:
            data = read_images(tmp_path / "damaged.npz")
        except InvalidArgument:
            refusals += 1
        else:
            np.testing.assert_array_equal(data.images, images)
            np.testing.assert_array_equal(data.labels, labels)
    assert refusals > 200
    for length in range(0, len(content), 997):
        (tmp_path / "damaged.npz").write_bytes(content[:length])
        refused(tmp_path / "damaged.npz")


@pytest.mark.parametrize(("kind", "limit"), [(".bin", 1.1), ("", 3.5), (".npz", 1.5)])
def test_memory_is_a_small_multiple_of_the_images(tmp_path: Path, kind: str, limit: float) -> None:
    path = tmp_path
    if kind in WRITERS:
        write(path, kind, **{f"data_batch_{k}": random_rows(1000) for k in range(1, 6)})
    else:
        path = tmp_path / "images.npz"
        rows, labels = random_rows(5000)
        np.savez(path, images=rows.reshape(-1, 32, 32, 3), labels=labels)
        del rows
    tracemalloc.start()
    data = read_images(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data.images.nbytes == 5000 * 3072
    assert peak < limit * data.images.nbytes
