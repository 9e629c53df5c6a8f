"""Passes: ours are read, and nobody writes one without the key."""

import os

import pytest

from explorer.errors import ExplorerError
from explorer.visitors.passes import LECTURER, Passes, Visitor, load_key

KEY = bytes(range(32))


def test_a_pass_says_whose_it_is():
    passes = Passes(KEY)
    visitor = passes.new_visitor()
    assert passes.read(passes.write(visitor)) == visitor
    assert not visitor.is_lecturer
    lecturer = Visitor(LECTURER, LECTURER)
    assert passes.read(passes.write(lecturer)) == lecturer


def test_two_visitors_are_two():
    ids = {Passes(KEY).new_visitor().id for _ in range(100)}
    assert len(ids) == 100 and all(len(name) == 32 for name in ids)


def test_a_pass_that_was_changed_is_none():
    passes = Passes(KEY)
    written = passes.write(Visitor("a" * 32))
    assert passes.read(written) is not None
    changed = [
        written.replace("visitor", LECTURER),
        written.replace("aaa", "aab", 1),
        written[:-1] + ("0" if written[-1] != "0" else "1"),
        written + "0",
        written.replace("a" * 32, "../" + "a" * 29),
        "", "visitor", "visitor.a.", "visitor..", "\x00", written.upper(),
    ]  # fmt: skip
    assert [one for one in changed if passes.read(one) is not None] == []


def test_another_key_or_another_code_takes_no_pass():
    visitor, lecturer = Visitor("a" * 32), Visitor(LECTURER, LECTURER)
    before = Passes(KEY, "apple", "pear")
    assert Passes(bytes(32), "apple", "pear").read(before.write(visitor)) is None
    plum = Passes(KEY, "apple", "plum")
    assert plum.read(before.write(visitor)) == visitor
    assert plum.read(before.write(lecturer)) is None
    assert Passes(KEY, "plum", "pear").read(before.write(visitor)) is None


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path):
    key = load_key(tmp_path)
    assert len(key) == 32 and load_key(tmp_path) == key
    if os.name == "posix":
        assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_a_key_that_is_cut_off_is_told(tmp_path):
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(ExplorerError, match="is no key"):
        load_key(tmp_path)
