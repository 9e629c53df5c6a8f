"""The house: codes, what all see, who is here, and what is removed when somebody stays away."""

import dataclasses
import os
import shutil
import time

import pytest

from explorer.config import BudgetConfig, Config
from explorer.errors import ExplorerError
from explorer.jobs import host
from explorer.jobs.host import get_runner
from explorer.visitors import house as house_module
from explorer.visitors.house import House, open_house
from explorer.visitors.metrics import write_metrics
from explorer.visitors.mode import ENVIRONMENT, Mode, read_mode
from explorer.visitors.passes import LECTURER, Visitor
from tests.small_run import die

ANNA, BELA = Visitor("a" * 32), Visitor("b" * 32)
LECTURES = Visitor(LECTURER, LECTURER)
DAY = 86400.0


def forget_queue():
    """Leave a process as it is when it begins."""
    if host._runner is not None:
        host._runner.close()
    host._runner = None
    host._looked.clear()


def be_away(house, visitor, days):
    then = time.time() - days * DAY
    os.utime(house.home / "of" / visitor.id / "seen", (then, then))


def test_codes_let_in(tmp_path):
    house = House(Mode("classroom", code="apple", lecturer="pear"), tmp_path)
    visitor = house.come_in("apple")
    assert visitor is not None and not visitor.is_lecturer
    assert house.come_in("apple") != visitor
    assert house.come_in("pear") == LECTURES
    assert [house.come_in(word) for word in ("", "Apple", "plum", "äpfel")] == [None] * 4


def test_a_public_server_has_no_lecturer(tmp_path):
    house = House(Mode("public"), tmp_path)
    visitor = house.come_in("")
    assert visitor is not None and not visitor.is_lecturer


def test_a_mode_is_told_to_the_server(monkeypatch, tmp_path):
    mode = Mode("classroom", code="apple", lecturer="pear", uploads=False, workers=3)
    assert read_mode({ENVIRONMENT: mode.write()}) == mode
    assert read_mode({}) is None
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(house_module, "_house", None)
    monkeypatch.setattr(host, "_make", None)
    monkeypatch.setenv(ENVIRONMENT, mode.write())
    opened = open_house()
    assert opened is not None and opened.mode == mode and opened.folder == tmp_path


def test_a_shared_run_is_seen_by_all_and_changed_by_none(house, own_run):
    lecturer = house.library(LECTURES)
    house.share(own_run(lecturer, "example"))
    for visitor in (ANNA, BELA):
        library = house.library(visitor)
        run = library.find("example")
        assert not library.is_own(run)
        assert run.model is not None
        with pytest.raises(ExplorerError, match="seen by all"):
            library.describe(run, "mine", [])
        with pytest.raises(ExplorerError):
            library.own.delete("example")
        with pytest.raises(ExplorerError, match="shipped|cannot be deleted"):
            house.shared.delete("example")


def test_what_was_found_on_a_shared_run_elsewhere_is_not_believed(house, own_run):
    run = own_run(house.library(LECTURES), "example")
    (run.path / "diagnosis.json").write_text('{"verdict": "fine"}', encoding="utf-8")
    house.share(run)
    anna = house.library(ANNA)
    assert anna.stored(anna.find("example"), "diagnosis") is None


def test_sharing_again_replaces_and_withdrawing_hides(house, own_run):
    lecturer = house.library(LECTURES)
    run = own_run(lecturer, "example")
    house.share(run)
    lecturer.describe(run, "second", [])
    house.share(run)
    assert house.library(ANNA).find("example").name == "second"
    house.withdraw("example")
    with pytest.raises(ExplorerError):
        house.library(ANNA).find("example")
    assert lecturer.find("example").name == "second"
    with pytest.raises(ExplorerError):
        house.withdraw("../../example")


def test_a_run_that_trains_is_not_shared(house):
    lecturer = house.library(LECTURES)
    run = lecturer.start(Config(budget=BudgetConfig(seconds=5)))
    with pytest.raises(ExplorerError, match="being trained"):
        house.share(run)


def test_who_stays_away_is_removed_with_all_they_had(house, own_run):
    for visitor in (ANNA, BELA):
        own_run(house.library(visitor))
    be_away(house, ANNA, 1.1)
    be_away(house, BELA, 0.9)
    assert house.sweep(time.time()) == [ANNA.id]
    assert not (house.home / "of" / ANNA.id).exists()
    assert house.library(BELA).find("secret")


def test_who_comes_again_finds_what_was_theirs(house, own_run):
    own_run(house.library(ANNA))
    be_away(house, ANNA, 0.9)
    house.library(ANNA)
    assert house.sweep(time.time()) == []
    assert house.library(ANNA).find("secret")


def test_who_has_a_training_is_not_away(house):
    house.library(ANNA).start(Config(budget=BudgetConfig(seconds=5)))
    be_away(house, ANNA, 30)
    assert house.sweep(time.time()) == []


def test_no_more_are_let_in_than_there_is_room_for(open_house):
    house = open_house(visitors=1)
    house.library(ANNA)
    with pytest.raises(ExplorerError, match="1 visitors are here"):
        house.library(BELA)
    house.library(ANNA)
    assert not (house.home / "of" / BELA.id).exists()


def test_a_full_disk_takes_no_new_visitor(open_house, own_run):
    house = open_house(all_megabytes=1e-6)
    own_run(house.library(ANNA))
    with pytest.raises(ExplorerError, match="disk is full"):
        house.library(BELA)


def test_the_lecturer_sees_who_trains_and_not_what(house, own_run):
    anna = house.library(ANNA)
    own_run(anna)
    anna.start(Config(budget=BudgetConfig(seconds=5)))
    house.library(BELA)
    told = {present.id: (present.runs, present.jobs) for present in house.present()}
    assert told == {ANNA.id: (2, 1), BELA.id: (0, 0)}
    house.stop_jobs(BELA.id)
    assert house.present()[0].jobs + house.present()[1].jobs == 1
    house.stop_jobs(ANNA.id)
    assert [present.jobs for present in house.present()] == [0, 0]


def test_limits_are_extended_for_one(house):
    before = house.limits_of(ANNA.id)
    house.extend(ANNA.id)
    house.extend(ANNA.id)
    assert house.limits_of(ANNA.id).seconds == 4 * before.seconds
    assert house.limits_of(ANNA.id).parameters == before.parameters
    assert house.limits_of(BELA.id) == before
    assert House(house.mode, house.folder).limits_of(ANNA.id).seconds == 4 * before.seconds


@pytest.mark.parametrize("name", ["../x", "", ".", "a/b"])
def test_a_visitor_is_a_name_and_no_path(house, name):
    with pytest.raises(ExplorerError):
        house.library(Visitor(name))


def test_the_line_for_whoever_runs_the_server_names_nobody(house, own_run):
    own_run(house.library(ANNA))
    house.library(BELA)
    be_away(house, BELA, 0.5)
    line = write_metrics(house)
    assert line.startswith("ok visitors=1 kept=2 training=0 waiting=0 memory_mb=")
    assert ANNA.id not in line and "secret" not in line
    shutil.rmtree(house.home / "of")
    assert "kept=0" in write_metrics(house)


def test_all_are_shown_a_page_with_what_is_on_it(house, own_run):
    assert house.scene().number == 0
    lecturer = house.library(LECTURES)
    own_run(lecturer, "example")
    house.show("/collapse?run=example&present=1&lang=en")
    assert house.scene().number == 1
    assert house.scene().address == "/collapse?run=example&lang=en"
    assert house.library(ANNA).find("example")
    house.show("/?model=mnist-2d&z=0.5,1")
    assert (house.scene().number, house.scene().address) == (2, "/?model=mnist-2d&z=0.5,1")
    assert House(house.mode, house.folder).scene().number == 2


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/", "//elsewhere.example/x", "javascript:alert(1)", "", "x"],
)
def test_nobody_is_led_elsewhere(house, address):
    with pytest.raises(ExplorerError, match="Only pages of this server"):
        house.show(address)
    assert house.scene().number == 0


def test_showing_shares_no_visitors_run(house, own_run):
    own_run(house.library(ANNA))
    house.show("/?model=secret")
    with pytest.raises(ExplorerError):
        house.library(BELA).find("secret")


def test_what_waited_on_an_earlier_server_is_taken_up_in_its_owners_turn(house):
    run = house.library(ANNA).start(Config(budget=BudgetConfig(seconds=5)))
    die(run.path)
    forget_queue()
    House(house.mode, house.folder).take_up()
    jobs = get_runner(house.folder).jobs()
    assert [(job.directory, job.owner) for job in jobs] == [(run.path, ANNA.id)]
    assert jobs[0].longest == house.mode.limits.seconds


def test_a_queue_has_as_many_workers_as_the_mode_says(open_house):
    house = open_house(all_waiting=7)
    house.mode = dataclasses.replace(house.mode, workers=3)
    runner = house.make_runner()
    assert (runner.limit, runner.attempts) == (7, 3)
    runner.close()
