"""What a browser's console says of the pages: nothing, not even what a request did not find.

`make test` checks the same wherever a test takes `tour`, and below the root, where relative
requests lead elsewhere, in tests/browser/test_present.py.
"""

import pytest

from explorer.app.parts.lede import LEDES
from tests.browser.conftest import Tour
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.mark.slow
@pytest.mark.parametrize("address", [pytest.param(name, id=name or "explore") for name in LEDES])
def test_the_console_stays_clean(page, server, address):
    tour = Tour(page, server.url)
    tour.go(address)
    assert tour.said == []


def test_what_the_console_says_is_heard(page, server):
    tour = Tour(page, server.url)
    page.route("**/gone", lambda route: route.fulfill(status=404))
    page.goto(f"{server.url}/_stcore/health")
    page.evaluate("console.error('broken'); setTimeout(() => { throw Error('thrown') })")
    page.evaluate("fetch('/gone')")
    expected = {"broken", "thrown", f"{server.url}/gone"}
    wait_until(lambda: page.evaluate("1") and expected <= set(tour.said))
