"""What a browser's console says of the pages: nothing, not even what a request did not find."""

import pytest

from explorer.app.parts.lede import LEDES
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("address", LEDES, ids=lambda address: address or "explore")
def test_the_console_stays_clean(page, server, address):
    said, missed = [], []
    page.on("console", lambda line: line.type == "error" and said.append(line.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("response", lambda answer: answer.status >= 400 and missed.append(answer.url))
    page.goto(f"{server.url}/{address}")
    page.locator("#root .explorer-lede").wait_for()
    wait_for_script(page)
    assert (said, missed) == ([], [])
