"""What a page that is being left still says is not listened to; everything else is."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from explorer.app.leaving import PATIENCE_SECONDS, Departure, Leaving
from tests.waiting import run_apart


def say(page: str, fragment: str = "", pressed: bool = False) -> bytes:
    """Return what a browser sends to have a page, or a fragment of it, run."""
    message = BackMsg()
    message.rerun_script.page_script_hash = page
    message.rerun_script.fragment_id = fragment
    if pressed:
        message.rerun_script.widget_states.widgets.add(id="button").trigger_value = True
    return message.SerializeToString()


def opened(page: str, by: str = "new_session", fragments: tuple[str, ...] = ()) -> bytes:
    """Return what Streamlit sends when it begins to run a page, or a fragment of it."""
    message = ForwardMsg()
    getattr(message, by).page_script_hash = page
    message.metadata.run.fragment_ids.extend(fragments)
    return message.SerializeToString()


@pytest.fixture
def departure(clock):
    """A browser on the page "map", from which "runs" has been asked for."""
    departure = Departure(clock)
    assert not departure.is_overtaken(say("map"))
    departure.see(opened("map"))
    assert not departure.is_overtaken(say("map", "clock"))
    assert not departure.is_overtaken(say("map", pressed=True))
    assert not departure.is_overtaken(say("runs"))
    return departure


def test_a_left_page_is_not_listened_to_until_the_new_one_opens(departure):
    assert departure.is_overtaken(say("map", "clock"))
    assert departure.is_overtaken(say("map", pressed=True))
    departure.see(opened("map"))  # A tick that was on its way before the press.
    assert departure.is_overtaken(say("map", "clock"))
    assert not departure.is_overtaken(say("runs", "clock"))
    departure.see(opened("runs"))
    assert departure.is_overtaken(say("map", "clock")), "it has not reached the browser yet"
    assert not departure.is_overtaken(say("runs", "clock"))


def test_the_last_page_that_was_asked_for_counts_the_one_that_stands_too(departure):
    assert not departure.is_overtaken(say("learn"))
    assert departure.is_overtaken(say("runs", "clock"))
    assert not departure.is_overtaken(say("map"))
    departure.see(opened("runs"))  # It was begun before the press that led back.
    assert not departure.is_overtaken(say("map", "clock"))
    assert departure.is_overtaken(say("runs", "clock"))


def test_a_part_that_is_run_opens_no_page(departure):
    departure.see(opened("runs"))
    departure.see(opened("map", fragments=("clock",)))
    assert not departure.is_overtaken(say("runs", "clock"))


def test_a_page_that_never_opens_is_waited_for_no_longer_than_so(departure, clock):
    clock.now += PATIENCE_SECONDS - 1
    assert departure.is_overtaken(say("map", "clock"))
    clock.now += 2
    assert not departure.is_overtaken(say("map", "clock"))


def test_a_page_that_the_server_opened_by_itself_takes_the_place_of_the_one_before(
    departure,
):
    departure.see(opened("runs"))
    departure.see(opened("elbo"))
    assert departure.is_overtaken(say("runs", "clock"))
    assert not departure.is_overtaken(say("elbo", "clock"))
    assert not departure.is_overtaken(say("elbo"))
    assert not departure.is_overtaken(say("elbo", "clock"))


def test_a_first_page_that_was_asked_for_by_its_name_is_listened_to(clock):
    departure = Departure(clock)
    assert not departure.is_overtaken(say(""))
    departure.see(opened("main.py"))
    assert not departure.is_overtaken(say("train", pressed=True))
    departure.see(opened("train", "navigation"))
    assert not departure.is_overtaken(say("train", pressed=True))
    assert not departure.is_overtaken(say("runs"))
    assert departure.is_overtaken(say("train", "clock"))


def test_other_messages_pass(departure):
    stop = BackMsg()
    stop.stop_script = True
    assert not departure.is_overtaken(stop.SerializeToString())
    assert not departure.is_overtaken(b"\xff\xff nothing of Streamlit's")
    departure.see(b"")
    assert departure.is_overtaken(say("map", "clock")), "none of them asked for a page"


@pytest.mark.parametrize(("path", "heard"), [("/app/_stcore/stream", 3), ("/elsewhere", 4)])
def test_it_stands_between_a_socket_and_the_app(path, heard):
    said = [say("map"), say("runs"), say("map", "clock")]
    coming = [{"type": "websocket.receive", "bytes": each} for each in said]
    coming.append({"type": "websocket.disconnect"})
    came, sent = [], []

    async def app(scope, receive, send):
        for opens in (opened("map"), None, None, None)[:heard]:
            came.append(await receive())
            await send({"type": "websocket.send", "bytes": opens})

    async def receive():
        return coming.pop(0)

    async def send(message):
        sent.append(message)

    run_apart(Leaving(app)({"type": "websocket", "path": path}, receive, send))
    assert len(came) == len(sent) == heard and came[-1]["type"] == "websocket.disconnect"
