"""One's own pictures on the command line: added, listed, removed, each mistake in one sentence."""

import json

import pytest

from explorer.cli import main
from tests.datasets.own.cases import pack_pets
from tests.helpers import read_json
from tests.jobs.test_reader import root

__all__ = ["root"]


@pytest.fixture
def pets(tmp_path):
    """With a file that is no picture."""
    return pack_pets(tmp_path / "my-pets.zip", ("cat/broken.png", b"x"))


def test_pictures_are_added_told_of_listed_and_removed(root, pets, capsys):
    assert main(["data", "add", str(pets), "--name", "pets", "--size", "8", "--json"]) == 0
    added = read_json(capsys)
    assert (added["name"], added["images"], added["shape"]) == ("pets", 12, [3, 8, 8])
    assert added["classes"] == ["cat", "dog"] and added["splits"]["test"] == 1
    assert [entry["name"] for entry in added["report"]["left_out"]] == ["cat/broken.png"]
    assert main(["data", "--json"]) == 0
    listed = read_json(capsys)["datasets"]["pets"]
    assert listed["available"] and listed["shape"] == [3, 8, 8]
    assert "yours: 12 images of 8 × 8" in listed["description"]
    assert main(["data", "remove", "pets"]) == 0
    assert main(["data", "--json"]) == 0
    assert "pets" not in json.loads(capsys.readouterr().out.splitlines()[-1])["datasets"]


def test_what_came_in_and_what_did_not_is_said_in_words(root, pets, capsys):
    assert main(["data", "add", str(pets), "--grey", "--fit", "pad", "--background", "9"]) == 0
    said = capsys.readouterr().out
    assert "my-pets: added" in said and "12 images of 16 × 16 pixels in grey." in said
    assert "Left out: cat/broken.png: it is no PNG" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add"], "Say which"),
        (["remove"], "Say which"),
        (["digits", "more"], "Either `data add PATH` or `data NAME`"),
        (["add", "no/such/file.zip"], "no file and no folder"),
        (["add", "PETS", "--name", "mnist"], "is a data set of Latent Explorer"),
        (["add", "PETS", "--name", "a/b"], "is no name for a data set"),
        (["add", "PETS", "--size", "0"], "size is a whole number"),
        (["add", "PETS", "--fit", "squash"], "crop, pad, resize"),
        (["remove", "dogs"], "no data set 'dogs' of your own"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_exit_code_2(root, pets, arguments, said, capsys):
    arguments = [str(pets) if word == "PETS" else word for word in arguments]
    assert main(["data", *arguments]) == 2
    streams = capsys.readouterr()
    assert said in streams.err and streams.err.count("\n") == 1 and streams.out == ""
