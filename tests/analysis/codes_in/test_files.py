"""Files by their content: every format, every usual name, and all that must be refused unread."""

import gzip
import io
import json
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from explorer.analysis.codes_in import arrays
from explorer.analysis.codes_in.naming import ROLES, role_of
from explorer.analysis.codes_in.reading import read_any_codes
from explorer.errors import ExplorerError
from tests.analysis.codes_in.makers import assert_near, forge, header, make_codes, save
from tests.helpers import present

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def codes():
    return make_codes(300, 5, 3)


@pytest.mark.parametrize("mean", ["mean", "mu", "z_mean", "loc", "qz_m", "X_latent_qzm", "zMean"])
@pytest.mark.parametrize(
    "spread, of",
    [("logvar", lambda lv: lv), ("log_var", lambda lv: lv), ("log_variance", lambda lv: lv),
     ("z_log_var", lambda lv: lv), ("var", np.exp), ("variance", np.exp), ("qz_v", np.exp),
     ("std", lambda lv: np.exp(lv / 2)), ("sigma", lambda lv: np.exp(lv / 2)),
     ("scale", lambda lv: np.exp(lv / 2)), ("log_std", lambda lv: lv / 2)],
)  # fmt: skip
def test_the_usual_names(tmp_path, codes, mean, spread, of):
    path = save(tmp_path / "codes.npz", **{mean: codes[0], spread: of(codes[1]), "x": np.zeros(3)})
    found = read_any_codes(path)
    assert (found.mean == codes[0]).all()
    assert_near(found.logvar, codes[1], 1e-4)
    assert found.told == () and len(found.found) == 3


def test_no_name_has_two_roles():
    names = [name for role in ROLES.values() for name in role.split()]
    assert len(names) == len(set(names))
    assert [role_of(name) for name in ("images", "x", "X_pca", "z")] == [None, None, None, "sample"]


def test_what_was_found_is_listed_when_something_is_missing(tmp_path, codes):
    path = save(tmp_path / "codes.npz", h=codes[0], images=np.zeros((300, 8, 8), np.uint8))
    with pytest.raises(ExplorerError) as error:
        read_any_codes(path)
    for piece in ("h (300, 5) float32", "images (300, 8, 8) uint8", "mean, mu, z_mean or loc"):
        assert piece in str(error.value)
    found = read_any_codes(path, names={"mean": "h"})
    assert (found.mean == codes[0]).all() and found.logvar is None
    with pytest.raises(ExplorerError, match="no array 'z'"):
        read_any_codes(path, names={"mean": "z"})
    path = save(tmp_path / "spread.npz", logvar=codes[1])
    with pytest.raises(ExplorerError, match="it holds logvar"):
        read_any_codes(path)


def test_names_say_which_array_is_what(tmp_path, codes):
    path = save(tmp_path / "codes.npz", a=codes[0], b=np.exp(codes[1] / 2), c=np.arange(300) % 2)
    found = read_any_codes(path, names={"mean": "a", "std": "b", "labels": "c"})
    assert_near(found.logvar, codes[1], 1e-4)
    assert found.class_names == ("0", "1")


def test_by_order_and_by_itself(tmp_path, codes):
    np.savez(tmp_path / "two.npz", *codes)
    found = read_any_codes(tmp_path / "two.npz")
    assert [t.code for t in found.told] == ["by_position"] and (found.logvar == codes[1]).all()
    np.save(tmp_path / "mine.npy", codes[0])
    found = read_any_codes(tmp_path / "mine.npy")
    assert found.logvar is None and (found.mean == codes[0]).all()
    assert [t.code for t in found.told] == ["sample_or_mean", "means_alone"]
    assert found.judged()[1] is None


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", "<i4", "<f16"])
def test_every_byte_order_and_precision(tmp_path, codes, order, dtype):
    mean = np.asarray(10 * codes[0], dtype=dtype, order=order)
    path = save(tmp_path / "codes.npz", mean=mean, logvar=np.asarray(codes[1], order=order))
    assert read_any_codes(path).mean == pytest.approx(mean.astype(float))


def test_bytes_streams_and_folders(tmp_path, codes):
    path = save(tmp_path / "codes.npz", mean=codes[0], logvar=codes[1])
    content = path.read_bytes()
    for source in (path, str(path), content, io.BytesIO(content)):
        assert (read_any_codes(source, "mine.npz").mean == codes[0]).all()
    with open(path, "rb") as stream:
        assert read_any_codes(stream).name == "codes.npz"
    with pytest.raises(ExplorerError, match="folder"):
        read_any_codes(tmp_path)
    with pytest.raises(ExplorerError, match="cannot be opened"):
        read_any_codes(tmp_path / "none.npz")


# Tables.


def table(codes, **more):
    columns = {f"mu_{i}": codes[0][:, i] for i in range(5)}
    columns |= {f"logvar_{i}": codes[1][:, i] for i in range(5)}
    return columns | more


def test_parquet_of_numbered_columns_and_of_lists(tmp_path, codes):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    words = np.array(["a", "b"])[np.arange(300) % 2]
    parquet.write_table(
        pyarrow.table(table(codes, label=words, age=np.arange(300.0))), tmp_path / "c.parquet"
    )
    lists = {"mean": list(codes[0]), "var": list(np.exp(codes[1]))}
    parquet.write_table(pyarrow.table(lists), tmp_path / "l.parquet", row_group_size=70)
    fixed = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(codes[0].ravel()), 5)
    parquet.write_table(
        pyarrow.table({"z_mean": fixed, "z_var": lists["var"]}), tmp_path / "f.parquet"
    )
    for name in ("c", "l", "f"):
        found = read_any_codes((tmp_path / f"{name}.parquet").read_bytes(), name)
        assert (found.mean == codes[0]).all()
        assert_near(found.logvar, codes[1], 1e-5)
    found = read_any_codes(tmp_path / "c.parquet")
    assert found.class_names == ("a", "b") and (found.columns["age"] == found.rows).all()


@pytest.mark.parametrize(
    "delimiter, decimal, mark, header_row",
    [(",", ".", "", True), (";", ",", "\ufeff", True), ("\t", ".", "\ufeff", True),
     (",", ".", "", False)],
)  # fmt: skip
def test_csv_as_spreadsheets_write_it(tmp_path, codes, delimiter, decimal, mark, header_row):
    columns = table(codes)
    rows = [
        [f"{value:.6f}".replace(".", decimal) for value in row]
        for row in np.column_stack(list(columns.values()))
    ]
    if header_row:
        rows = [[*columns, "kind"], *([*row, "ab"[i % 2]] for i, row in enumerate(rows))]
    text = mark + "\n".join(delimiter.join(row) for row in rows) + "\n"
    (tmp_path / "codes.csv").write_text(text, encoding="utf-8")
    found = read_any_codes(tmp_path / "codes.csv")
    if not header_row:
        assert found.mean.shape == (300, 10) and found.logvar is None
        return
    assert found.mean == pytest.approx(codes[0], abs=1e-6)
    assert found.logvar == pytest.approx(codes[1], abs=1e-6)
    assert (found.columns["kind"] == np.array(["a", "b"])[found.rows % 2]).all()


def test_csv_with_missing_values_and_whole_numbers_first(tmp_path):
    """A column that begins with whole numbers may go on with fractions; an empty cell is NaN."""
    lines = ["mu_0,mu_1,logvar_0,logvar_1"] + ["1,0,0,0"] * 40_000 + ["0.5,,-0.5,0"] * 2
    (tmp_path / "codes.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_any_codes(tmp_path / "codes.csv")
    assert present(found.gaps).rows == 2 and len(found.mean) == 40_000


# Guards: header and size before content.


def test_a_header_that_lies_is_refused_unread_with_bounded_memory(tmp_path):
    """466 bytes that promise 3.6 TiB."""
    lie = header("<f8", (5 * 10**9, 100))
    path = forge(tmp_path / "lie.npz", {"mean.npy": lie, "logvar.npy": lie})
    assert path.stat().st_size < 600
    tracemalloc.start()
    with pytest.raises(ExplorerError, match="promises 4 TB and holds 0 bytes"):
        read_any_codes(path)
    assert tracemalloc.get_traced_memory()[1] < MEGABYTE
    tracemalloc.stop()
    (tmp_path / "lie.npy").write_bytes(lie)
    with pytest.raises(ExplorerError, match="promises 4 TB"):
        read_any_codes(tmp_path / "lie.npy")


def bomb(path, megabytes):
    """Write an .npz whose mean is a file of zeros, packed a thousandfold, and return its path.

    Deflate's blocks can be repeated: one of ten megabytes is packed, and copied.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(10**7)) + packer.flush(zlib.Z_FULL_FLUSH)
    begin = header("<f4", (megabytes * 5000, 50))
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = packed.compress(begin) + packed.flush(zlib.Z_FULL_FLUSH)
    content += block * (megabytes // 10) + packer.flush()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mean.npy", content)
    raw = bytearray(path.read_bytes())
    size = struct.pack("<I", len(begin) + megabytes * 10**6)
    for mark, method, place in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        start = raw.rfind(mark)
        raw[start + method], raw[start + place : start + place + 4] = 8, size
    path.write_bytes(raw)
    return path


def test_two_megabytes_that_unpack_to_two_gigabytes_are_refused_unread(tmp_path):
    path = bomb(tmp_path / "bomb.npz", 2000)
    assert path.stat().st_size < 3 * MEGABYTE
    tracemalloc.start()
    with pytest.raises(
        ExplorerError, match=r"mean in bomb\.npz cannot be read: it is packed 1,0\d\d : 1"
    ):
        read_any_codes(path)
    assert tracemalloc.get_traced_memory()[1] < MEGABYTE
    tracemalloc.stop()


def test_zeros_of_a_usual_size_are_read(tmp_path):
    """Wholly collapsed codes pack well: a hundredfold is no crime where it is small."""
    zeros = np.zeros((100_000, 50), np.float32)
    np.savez_compressed(tmp_path / "zeros.npz", mean=zeros, logvar=zeros)
    assert (tmp_path / "zeros.npz").stat().st_size < MEGABYTE // 10
    assert read_any_codes(tmp_path / "zeros.npz").count == 100_000


def test_other_lies_about_sizes(tmp_path):
    body = header("<f4", (100, 4)) + bytes(1600)
    for changed, sentence in (
        (body[:-1], "broken, or made to do harm"),
        (body + b"\0", "broken, or made to do harm"),
        (header("<f4", (100, -4)), "damaged"),
        (header("<f4", (2**63, 2**63)), "TB and holds"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 65535, "damaged"),
        (b"\x93NUMPY\x09\x00", "damaged"),
        (b"", "damaged"),
    ):
        path = forge(tmp_path / "lie.npz", {"mean.npy": changed, "logvar.npy": changed})
        with pytest.raises(ExplorerError, match=sentence):
            read_any_codes(path)
    wide = save(tmp_path / "w.npz", mean=np.zeros((1, 2_000_001)), logvar=np.zeros((1, 2_000_001)))
    with pytest.raises(ExplorerError, match="2,000,001 values"):
        read_any_codes(wide)


def test_a_parquet_that_unpacks_without_end_is_refused(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    zeros = pyarrow.array(np.zeros(1_000_000))
    names = [f"mean_{i}" for i in range(60)]
    parquet.write_table(pyarrow.table([zeros] * 60, names), tmp_path / "bomb.parquet")
    with pytest.raises(ExplorerError, match="never packed so small"):
        read_any_codes(tmp_path / "bomb.parquet")


def test_large_codes_are_thinned_with_bounded_memory_and_told(tmp_path):
    """450,000 × 50: evenly spread items are kept, and the file says how many."""
    mean, logvar = make_codes(4500, 50, 6)
    path = save(
        tmp_path / "large.npz", mean=np.tile(mean, (100, 1)), logvar=np.tile(logvar, (100, 1))
    )
    seen: list[float] = []
    tracemalloc.start()
    found = read_any_codes(path, progress=seen.append)
    assert tracemalloc.get_traced_memory()[1] < 200 * MEGABYTE
    tracemalloc.stop()
    assert str(found.told[0]) == "80,000 of 450,000 items were read, evenly spread."
    assert found.count == 450_000 and found.rows[0] == 0 and found.rows[-1] == 449_999
    assert (found.mean == mean[found.rows % 4500]).all()
    assert seen == sorted(seen) and seen[-1] == 1.0
    assert found.judged()[0].shape == (20_000, 50)


def test_a_few_very_wide_codes_are_kept_whole():
    assert len(arrays.choose_items(100, 200_000)) == 100
    assert len(arrays.choose_items(10**9, 50)) == 80_000
    assert len(arrays.choose_items(3000, 10_000)) == 2000


@pytest.mark.parametrize("seed", range(6))
def test_damaged_archives_are_one_clear_error(tmp_path, codes, seed):
    np.savez_compressed(tmp_path / "codes.npz", mean=codes[0], logvar=codes[1])
    content = bytearray((tmp_path / "codes.npz").read_bytes())
    rng = np.random.default_rng(seed)
    for _ in range(40):
        broken = bytearray(content)
        for place in rng.integers(4, len(broken), 3):
            broken[place] = int(rng.integers(256))
        if rng.integers(2):
            broken = broken[: int(rng.integers(10, len(broken)))]
        try:
            read_any_codes(bytes(broken), "codes.npz")
        except ExplorerError as error:
            assert "codes.npz" in str(error) or "logvar" in str(error) or "mean" in str(error)


def test_encrypted_and_strangely_packed_archives(tmp_path, codes):
    path = save(tmp_path / "codes.npz", mean=codes[0], logvar=codes[1])
    content = bytearray(path.read_bytes())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        place = content.find(mark)
        content[place + (6 if mark[2] == 3 else 8)] |= 1
    with pytest.raises(ExplorerError, match="encrypted"):
        read_any_codes(bytes(content), "codes.npz")
    stream = io.BytesIO()
    np.save(stream, codes[0])
    packed = forge(tmp_path / "lzma.npz", {"mean.npy": stream.getvalue()}, zipfile.ZIP_LZMA)
    with pytest.raises(ExplorerError, match="another method than deflate"):
        read_any_codes(packed)


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "empty"),
        (b"\x80\x04\x95pickle", "pickle"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x05\x06" + bytes(18), "without NumPy arrays"),
        (b"PAR1 not really", "damaged"),
        (bytes(range(256)) * 4, "no text|UTF-8"),
        (b"\0" * 100, "no text"),
        (b"just words\nand more", "has no array|no table"),
        (json.dumps({"mean": [1, 2]}).encode(), "no array|no table"),
        ("µ;é\n1;2".encode("latin-1"), "UTF-8"),
    ],
)
def test_what_is_no_file_of_codes(content, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        read_any_codes(content, "mine")


@pytest.mark.parametrize(
    "arrays_given, sentence",
    [
        ({"mean": np.zeros((4, 2)), "logvar": np.zeros((4, 3))}, "one shape"),
        ({"mean": np.zeros((0, 2)), "logvar": np.zeros((0, 2))}, "empty"),
        ({"mean": np.zeros(4), "logvar": np.zeros(4)}, "items, dimensions"),
        ({"mean": np.float64(1), "logvar": np.float64(1)}, "items, dimensions"),
        ({"mean": np.full((4, 2), "a"), "logvar": np.zeros((4, 2))}, "no real numbers"),
        ({"mean": np.full((4, 2), 1j), "logvar": np.zeros((4, 2))}, "no real numbers"),
        ({"mean": np.full((4, 2), None), "logvar": np.zeros((4, 2))}, "Python objects"),
        ({"mean": np.full((4, 2), 1e7), "logvar": np.zeros((4, 2))}, "not supported"),
        ({"mean": np.zeros((4, 2)), "logvar": np.full((4, 2), -1e3)}, "no spread|reaches"),
        ({"mean": np.zeros((3, 4, 2)), "logvar": np.zeros((3, 4, 2)),
          "steps": np.array([0, 0, 1])}, "that rise"),
        ({"mean": np.zeros((3, 4, 2)), "logvar": np.zeros((3, 4, 2)),
          "steps": np.array(["a", "b", "c"])}, "whole numbers"),
        ({"mean": np.zeros((2,) * 6), "logvar": np.zeros((2,) * 6)}, "6 axes"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_codes(tmp_path, arrays_given, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        read_any_codes(save(tmp_path / "codes.npz", **arrays_given))


def test_columns_go_with_the_codes(tmp_path, codes):
    path = save(
        tmp_path / "c.npz",
        mean=codes[0],
        logvar=codes[1],
        age=np.arange(300),
        sex=["a", "b"] * 150,
        factors=np.arange(600).reshape(300, 2),
        other=np.zeros((7, 2)),
    )
    found = read_any_codes(path)
    assert set(found.columns) == {"age", "sex", "factors[0]", "factors[1]"}
    assert (found.columns["factors[1]"] == 2 * found.rows + 1).all()


def test_what_is_said_is_ready_for_json(tmp_path, codes):
    mean = codes[0].copy()
    mean[4] = np.nan
    found = read_any_codes(save(tmp_path / "c.npz", mean=mean, logvar=np.exp(codes[1])))
    values = json.loads(json.dumps(found.to_dict()))
    assert values["spread"]["better"] == "variance" and values["items"] == 300
    assert [said["code"] for said in values["told"]] == ["spread_contradicted", "gaps"]
    assert all(said["text"].endswith((".", ")")) for said in values["told"])
