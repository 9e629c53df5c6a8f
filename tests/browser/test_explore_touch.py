"""Explore under a finger: it decodes as it moves, and scrolls past what it has not chosen."""

import numpy as np
import pytest

from tests.browser.explore_page import Finger, ensure_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def phone(visitor, server):
    ensure_run(server.runs, "two")
    page = visitor.new_page()
    yield Finger(page, f"{server.url}/?model=two")
    page.close()


@pytest.fixture
def finger(phone):
    """A finger that has chosen nothing yet; the map is in view."""
    phone.become(is_phone=False)
    phone.view.ask("app.root.getRootNode().activeElement?.blur()")
    phone.view.fresh()
    phone.view.page.locator(".map").scroll_into_view_if_needed()
    yield phone
    assert phone.view.errors == []


def find_gap(view):
    """Return the place near the middle of the map that is farthest from all points."""
    points = np.array(view.ask("[app.map.projection.xs, app.map.projection.ys].map(a => [...a])")).T
    places = np.stack(np.meshgrid(*[np.linspace(-1.2, 1.2, 25)] * 2), -1).reshape(-1, 2)
    nearest = np.linalg.norm(places[:, None] - points, axis=2).min(1)
    return places[nearest.argmax()].tolist()


def test_a_finger_decodes_as_it_moves_and_holds_where_it_lifts(finger):
    view = finger.view
    before, target = view.output(), find_gap(view)
    at = view.place(*target)
    finger.touch("touchStart", *at)
    view.settle()
    assert view.output() != before, "the picture follows before the finger lifts"
    assert view.place(*target) == at, "nothing moves under the finger"
    finger.touch("touchEnd")
    view.settle()
    assert view.z() == pytest.approx(target, abs=0.05) and view.output() != before
    widths = view.ask("[app.root.scrollWidth, app.root.clientWidth]")
    assert widths[0] <= widths[1] <= 390, "nothing sticks out at the side"


def test_a_finger_scrolls_past_the_map_until_a_tap_has_chosen_it(finger):
    view = finger.view
    finger.become(is_phone=True)
    view.settle()
    held, top = view.z(), view.place(0, 0)[1]
    finger.swipe(180)
    assert view.place(0, 0)[1] < top - 60 and view.z() == held, "the page scrolls, z stays"
    finger.touch("touchStart", *view.place(0.5, 0.5))
    finger.touch("touchEnd")
    view.settle()
    held, top = view.z(), view.place(0, 0)[1]
    finger.swipe(600)
    assert view.place(0, 0)[1] == pytest.approx(top, abs=2), "the map has the finger now"
    edges = view.ask("app.map.view.edges()")
    assert view.z() != held
    assert edges["bottom"] <= view.z()[1] <= edges["top"], "z stays in view"
