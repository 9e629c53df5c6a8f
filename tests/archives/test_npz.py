"""Arrays from a file of anyone's: read whole, or refused in one sentence and in little memory."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from explorer.archives import zips
from explorer.archives.npz import load_arrays
from explorer.errors import ExplorerError

SMALL = 2_000_000
"""Bytes that a refusal may take."""


def pack(path, members, **options):
    """Write a zip of bytes by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, **options)
    return path


def promise(shape, dtype="<f8", version=(1, 0)):
    """Return an .npy header without the array that it promises."""
    stream = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    write = {
        (1, 0): np.lib.format.write_array_header_1_0,
        (2, 0): np.lib.format.write_array_header_2_0,
    }
    write[version](stream, header)
    return stream.getvalue()


def refuse(path, said, **options):
    """Expect one sentence, and little memory on the way to it."""
    tracemalloc.start()
    with pytest.raises(ExplorerError, match=said) as caught:
        load_arrays(path, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < SMALL
    assert str(caught.value).count("\n") == 0
    return str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_saved_comes_back(tmp_path, save):
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "mean": rng.normal(size=(30, 4)),
        "half": rng.normal(size=(5, 2)).astype(np.float16).T,
        "words": np.array(["cat", "großer Hund"]),
        "one": np.array(3),
        "none": np.zeros((0, 7), np.uint8),
    }
    save(tmp_path / "file.npz", **arrays)
    found = load_arrays(tmp_path / "file.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


def test_python_objects_are_never_unpacked(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    np.savez(tmp_path / "file.npz", trap=np.array([Trap()], object), mean=np.ones(3))
    found = load_arrays(tmp_path / "file.npz")
    assert found["trap"].size == 0 and found["trap"].dtype == object
    assert found["mean"].tolist() == [1, 1, 1]
    assert not (tmp_path / "sprung").exists()


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = pack(tmp_path / "bomb.npz", {"mean.npy": promise((10_000_000,)) + bytes(80_000_000)})
    assert path.stat().st_size < 200_000
    refuse(path, "more than the 50 MB that are read", limit_bytes=50_000_000)
    assert load_arrays(path, 100_000_000)["mean"].shape == (10_000_000,)
    many = {f"{index}.npy": promise((125_000,)) + bytes(1_000_000) for index in range(30)}
    refuse(pack(tmp_path / "many.npz", many), "more than the 20 MB", limit_bytes=20_000_000)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("shape", [(5 * 10**9,), (2**62,), (2**40, 2**40), (4, 0x7FFFFFFF)])
def test_a_header_that_promises_terabytes_is_refused(tmp_path, shape, version):
    path = pack(tmp_path / "file.npz", {"mean.npy": promise(shape, version=version) + bytes(64)})
    refuse(path, "it is broken, or made to do harm")
    empty = pack(tmp_path / "empty.npz", {"mean.npy": promise(shape, "<U0", version)})
    refuse(empty, "it is broken, or made to do harm")


def test_a_size_that_lies_is_damage(tmp_path):
    """The archive says that a member is small; what is packed goes on."""
    content = promise((1_000_000,)) + bytes(8_000_000)
    path = pack(tmp_path / "file.npz", {"mean.npy": content})
    data = bytearray(path.read_bytes())
    place = data.find(struct.pack("<I", len(content)), data.rfind(b"PK\x01\x02"))
    struct.pack_into("<I", data, place, 5000)
    path.write_bytes(data)
    refuse(path, "it is broken, or made to do harm")


def test_a_file_larger_than_the_limit_is_not_opened_as_an_archive(tmp_path):
    np.savez(tmp_path / "file.npz", mean=np.zeros(1_000_000))
    with open(tmp_path / "sparse.npz", "wb") as stream:
        stream.truncate(10**12)
    for name in ("file.npz", "sparse.npz"):
        refuse(tmp_path / name, "more than the 1 MB", limit_bytes=1_000_000)


def test_a_list_of_members_without_end_is_refused(tmp_path):
    path = pack(tmp_path / "file.npz", {f"{index}.npy": b"" for index in range(3000)})
    refuse(path, "more files than can be read")
    longer = tmp_path / "longer.npz"
    np.savez(longer, mean=np.zeros(3))
    data = longer.read_bytes()
    place = data.rfind(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(zips.WIDE_LOCATOR - 4)
    longer.write_bytes(data[:place] + locator + data[place:])
    refuse(longer, "the end of the zip archive is damaged")


def test_an_encrypted_archive_is_told(tmp_path):
    np.savez(tmp_path / "file.npz", mean=np.zeros(3))
    data = bytearray((tmp_path / "file.npz").read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + offset] |= zips.ENCRYPTED_FLAG
    (tmp_path / "file.npz").write_bytes(data)
    refuse(tmp_path / "file.npz", "it is encrypted")


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_unusual_compression_is_told(tmp_path, kind):
    path = pack(tmp_path / "file.npz", {"mean.npy": promise((1,)) + bytes(8)}, compress_type=kind)
    refuse(path, "another method than deflate")


def test_what_is_no_archive_is_told(tmp_path):
    np.save(tmp_path / "bare.npy", np.zeros(3))
    (tmp_path / "text").write_text("mean, logvar", encoding="utf-8")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("bare.npy", "text", "empty"):
        refuse(tmp_path / name, "the end of the zip archive is missing")
    refuse(tmp_path / "gone", "No such file")
    assert refuse(tmp_path / "gone", "mine", name="mine").startswith("mine cannot be read: ")
    for content in (
        b"",
        b"\x93NUMPY\x03\x00\x04\x00\x00\x00{}  ",
        b"\x93NUMPY\x01\x00\x04\x00[1,\n",
    ):
        refuse(pack(tmp_path / "odd.npz", {"mean.npy": content}), "is damaged: its NumPy header")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="There are no pipes with names here.")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    refuse(tmp_path / "pipe.npz", "no plain file")
    refuse(tmp_path, "directory|Permission")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_anywhere_is_one_sentence_or_does_no_harm(tmp_path, save):
    path, rng = tmp_path / "file.npz", np.random.default_rng(0)
    save(path, mean=rng.normal(size=(20, 2)), labels=np.arange(20))
    whole, refused = path.read_bytes(), 0
    for _ in range(400):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(0, 256)
        if rng.random() < 0.3:
            data = data[: rng.integers(0, len(data))]
        path.write_bytes(data)
        try:
            found = load_arrays(path)
        except ExplorerError as error:
            assert "file.npz" in str(error) and "\n" not in str(error)
            refused += 1
        else:
            assert all(isinstance(array, np.ndarray) for array in found.values())
    assert refused > 200


def test_reading_is_light():
    code = "import explorer.archives.npz, sys; print('torch' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "False\n"
