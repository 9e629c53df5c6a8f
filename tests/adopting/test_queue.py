"""Networks that are uploaded: adopted in a worker, asked about, found again, and their files go."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

import explorer
from explorer.adopting import queue as queue_module
from explorer.adopting.queue import LARGEST_UPLOAD, STEPS, AdoptionQueue, File
from explorer.adopting.told import Told
from explorer.errors import ExplorerError
from explorer.runs.run import Run
from tests.helpers import present
from tests.jobs.test_reader import root, work
from tests.models.adopted.onnx_writer import digits_decoder, digits_encoder, one_node
from tests.waiting import wait_until

__all__ = ["root"]

TOLD = Told("digits", "bernoulli", binarise=True)


@pytest.fixture
def queue(root):
    queue = AdoptionQueue()
    yield queue
    queue.close()
    wait_until(lambda: work(root) == [])


def upload(queue, path, encoder=None, **told):
    given = {"encoder": encoder or digits_encoder("std"), "decoder": digits_decoder()}
    files = {
        part: File(io.BytesIO(content), f"{part}.onnx", len(content))
        for part, content in given.items()
    }
    return queue.add(files, path, replace(TOLD, **told))


def finish(adoption):
    wait_until(lambda: adoption.state in ("read", "failed"))
    return adoption


def test_two_files_become_a_run_and_go(root, queue, tmp_path):
    adoption = finish(upload(queue, tmp_path / "runs" / "run", name="Stranger"))
    assert (adoption.state, adoption.step, adoption.asks) == ("read", STEPS[-1], False)
    run = present(adoption.run)
    assert run.name == "Stranger" and run.path == tmp_path / "runs" / "run"
    assert run.info.best_results["elbo"] == pytest.approx(-23.04, abs=0.05)
    assert queue.uploads() == [adoption] and work(root) == []
    queue.discard(adoption)
    assert queue.uploads() == [] and Run(run.path).info.has_model


@pytest.mark.usefixtures("adopted_here")
def test_what_is_refused_says_why_and_the_next_is_adopted(root, queue, tmp_path):
    odd = upload(queue, tmp_path / "odd", one_node("NonMaxSuppression", shape=("n",)))
    finish(upload(queue, tmp_path / "run"))
    assert odd.state == "failed" and "NonMaxSuppression" in odd.message
    assert not (tmp_path / "odd").exists() and work(root) == []


def test_one_at_work_is_stopped_and_leaves_nothing(root, queue, tmp_path):
    adoption = upload(queue, tmp_path / "runs" / "run")
    wait_until(lambda: adoption.step)
    queue.discard(adoption)
    assert queue.uploads() == []
    wait_until(lambda: work(root) == [] and list((tmp_path / "runs").iterdir()) == [])


def test_what_takes_too_long_is_given_up(root, tmp_path):
    queue = AdoptionQueue(seconds=0.2)
    adoption = finish(upload(queue, tmp_path / "run"))
    assert "took longer" in adoption.message and not (tmp_path / "run").exists()
    queue.close()


# Where readings fit alike.


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A run whose spread might be σ, or σ²; what the queue gets in place of a worker's."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "enc.onnx").write_bytes(digits_encoder("std"))
    (folder / "dec.onnx").write_bytes(digits_decoder())
    run = explorer.adopt(
        folder / "run",
        encode=folder / "enc.onnx",
        decode=folder / "dec.onnx",
        images="digits",
        likelihood="bernoulli",
        binarise=True,
        data_root=folder,
    )
    values = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    adopted = values["model"]["adopted"]
    adopted["also_fits"] = [{**adopted["fit"], "spread": "variance", "beta": 4.0}]
    (run.path / "run.json").write_text(json.dumps(values), encoding="utf-8")
    return run


@pytest.fixture
def asking(queue, known, tmp_path, monkeypatch):
    """An adoption that waits to be told, and what its workers were given."""
    given = []

    def adopt(path, files, told, *, overwrite, **how):
        given.append((files, told, overwrite))
        return known, "" if told.reading else "Two readings fit alike."

    monkeypatch.setattr(queue_module, "adopt_files", adopt)
    return finish(upload(queue, tmp_path / "run")), given


def test_readings_that_fit_alike_are_asked_about_and_the_files_stay(root, asking):
    adoption, _ = asking
    assert adoption.asks and len(work(root)) == 1
    assert [reading["spread"] for reading in adoption.readings()] == ["sd", "variance"]


def test_another_reading_is_adopted_anew_in_place_of_the_first(root, queue, asking):
    adoption, given = asking
    queue.choose(adoption, adoption.readings()[1])
    finish(adoption)
    wait_until(lambda: not adoption.asks)
    (first, *_), (files, told, overwrite) = given
    assert told.reading["spread"] == "variance" and told.reading["layout"] == "NCHW"
    assert files == first and overwrite and work(root) == []


def test_the_first_is_settled_where_it_is(root, queue, asking):
    adoption, given = asking
    queue.choose(adoption, adoption.readings()[0])
    assert len(given) == 1 and not adoption.asks and work(root) == []
    assert [reading["spread"] for reading in adoption.readings()] == ["sd"]
    with pytest.raises(ExplorerError, match="Nothing is asked"):
        queue.choose(adoption, adoption.readings()[0])


# At the door.


def test_a_file_that_is_too_large_is_not_copied(root, queue, tmp_path):
    files = {"encoder": File(io.BytesIO(b""), "enc.onnx", LARGEST_UPLOAD + 1)}
    with pytest.raises(ExplorerError, match="is adopted by command line"):
        queue.add(files, tmp_path / "run", TOLD)
    assert queue.uploads() == [] and work(root) == []


@pytest.mark.parametrize("name", ["../../up.onnx", "C:\\docs\\up.onnx", "/etc/up.onnx"])
def test_a_file_name_leads_nowhere_and_equal_names_do_not_meet(root, queue, monkeypatch, name):
    def held(*_, stop, **how):
        wait_until(stop)
        raise ExplorerError("It was held.")

    monkeypatch.setattr(queue_module, "adopt_files", held)
    files = {part: File(io.BytesIO(part.encode()), name, 7) for part in ("encoder", "decoder")}
    adoption = queue.add(files, root / "run", TOLD)
    encoder, decoder = Path(present(adoption.files.encoder)), Path(present(adoption.files.decoder))
    assert encoder.name == decoder.name == "up.onnx"
    assert encoder.read_bytes() == b"encoder" and decoder.read_bytes() == b"decoder"
    assert adoption.workshop.folder.parent == root / "own" / "work"
