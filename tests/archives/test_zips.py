"""Archives of strangers: judged by their table of contents, and read no further than it says."""

import struct
import zipfile

import pytest

from explorer.archives import zips
from explorer.archives.refused import Refused
from explorer.archives.zips import check_member, member_path, open_zip, read_member
from explorer.errors import ExplorerError
from tests.datasets.own.cases import link_info, pack, raw_zip


def open_it(path, **limits):
    return open_zip(path, path.name, **limits)


def info(name, **values):
    member = zipfile.ZipInfo(name)
    for key, value in values.items():
        setattr(member, key, value)
    return member


def reason(call, *arguments):
    with pytest.raises(Refused) as refused:
        call(*arguments)
    return refused.value.reason


def read_only_member(path):
    with open_it(path) as archive:
        (member,) = archive.infolist()
        return read_member(archive, member)


def test_an_ordinary_member_is_read_as_it_was_written(tmp_path):
    content = bytes(range(256)) * 100
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = pack(tmp_path / "a.zip", [("a.bin", content)], method)
        assert read_only_member(path) == content


@pytest.mark.parametrize(
    "name",
    ["/etc/x.jpg", "../x.jpg", "a/../../x.jpg", "..\\x.jpg", "\\x.jpg", "C:\\x.jpg", "c:/x.jpg"],
)
def test_a_path_out_of_the_archive_is_refused(name):
    assert reason(member_path, info(name)) == "path"


@pytest.mark.parametrize(
    ("name", "place"), [("a\\b.jpg", "a/b.jpg"), ("./a/b.jpg", "a/b.jpg"), ("a..b/c", "a..b/c")]
)
def test_a_path_within_is_written_with_slashes(name, place):
    assert str(member_path(info(name))) == place


def test_a_mac_writes_utf8_without_saying_so():
    mac = "naïve/日.jpg".encode().decode("cp437")
    assert str(member_path(info(mac))) == "naïve/日.jpg"
    assert str(member_path(info("naïve.jpg"))) == "naïve.jpg"
    assert str(member_path(info(mac, flag_bits=0x800))) == mac


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (link_info("a"), "link"),
        (info("a", external_attr=0o010644 << 16), "special"),
        (info("a", flag_bits=1), "locked"),
        (info("a", compress_type=zipfile.ZIP_LZMA), "packing"),
        (info("a", compress_type=9), "packing"),
    ],
)
def test_what_is_no_ordinary_file_is_refused_unread(member, told):
    assert reason(check_member, member) == told


def test_an_ordinary_file_of_any_system_passes():
    for mode in (0, 0o644, 0o100644):
        check_member(info("a", external_attr=mode << 16))


def test_a_bomb_is_refused_by_its_ratio_and_a_small_one_excused(tmp_path):
    black = bytes(zips.EXCUSED_BYTES + 1)
    path = pack(tmp_path / "bomb.zip", [("a.bmp", black)], zipfile.ZIP_DEFLATED)
    assert reason(read_only_member, path) == "ratio"
    path = pack(tmp_path / "small.zip", [("a.bmp", black[:-1])], zipfile.ZIP_DEFLATED)
    assert read_only_member(path) == black[:-1]


def test_a_large_file_is_refused_by_what_is_stated(tmp_path):
    path = raw_zip(tmp_path / "a.zip", b"a.bmp", bytes(100), zips.LARGEST_FILE + 1)
    assert reason(read_only_member, path) == "bytes"


@pytest.mark.parametrize("claimed", [10, 100_000])
def test_a_size_that_is_not_true_is_refused_either_way(tmp_path, claimed):
    path = raw_zip(tmp_path / "a.zip", b"a.bmp", bytes(range(256)) * 100, claimed)
    assert reason(read_only_member, path) == "liar"


def test_no_more_is_unpacked_than_is_stated(tmp_path, monkeypatch):
    unpacked = []
    true_read = vars(zipfile.ZipExtFile)["_read1"]

    def count(stream, size):
        unpacked.append(true_read(stream, size))
        return unpacked[-1]

    monkeypatch.setattr(zipfile.ZipExtFile, "_read1", count)
    path = raw_zip(tmp_path / "a.zip", b"a.bmp", bytes(60_000_000), 100)
    assert reason(read_only_member, path) == "liar"
    assert sum(map(len, unpacked)) <= 100


def test_a_changed_byte_is_noticed(tmp_path):
    path = pack(tmp_path / "a.zip", [("a.bin", b"content")])
    path.write_bytes(path.read_bytes().replace(b"content", b"contend", 1))
    assert reason(read_only_member, path) == "liar"


def test_files_that_share_bytes_are_refused_and_files_side_by_side_are_not(tmp_path):
    with open_it(pack(tmp_path / "a.zip", [("é", b"a" * 99), ("b", b""), ("c", b"c")])):
        pass
    path = raw_zip(tmp_path / "b.zip", b"a", b"content", 7, names=2)
    with pytest.raises(ExplorerError, match="share the same bytes"), open_it(path):
        pass


def test_a_table_of_contents_that_fills_the_memory_is_refused_unread(tmp_path, monkeypatch):
    with open_it(pack(tmp_path / "few.zip", [("a", b"")]), largest_directory=200):
        pass
    many = pack(tmp_path / "many.zip", [(str(i), b"") for i in range(10)])
    monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda *_: pytest.fail("it was read"))
    with (
        pytest.raises(ExplorerError, match="more files than can be read"),
        open_it(many, largest_directory=200),
    ):
        pass
    # The larger kind of archive has its size elsewhere, and that one counts.
    plain = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, 46, 0, 0)
    wide = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0)
    locator = struct.pack("<IIQI", 0x07064B50, 0, 100, 1)
    (tmp_path / "wide.zip").write_bytes(bytes(100) + wide + locator + plain)
    with pytest.raises(ExplorerError, match="more files"), open_it(tmp_path / "wide.zip"):
        pass
    elsewhere = struct.pack("<IIQI", 0x07064B50, 0, 4, 1)
    (tmp_path / "two.zip").write_bytes(bytes(100) + wide + elsewhere + plain)
    with pytest.raises(ExplorerError, match="damaged"), open_it(tmp_path / "two.zip"):
        pass


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06", b"PK\x05\x06" + bytes(17)])
def test_the_stump_of_an_archive_is_an_error_of_one_sentence(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ExplorerError, match="a.zip is broken"), open_it(tmp_path / "a.zip"):
        pass


def test_an_archive_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ExplorerError, match="cannot be read: No such file"):
        open_it(tmp_path / "none.zip").__enter__()
