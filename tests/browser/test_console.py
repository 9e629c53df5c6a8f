"""What a browser's console says of the pages: nothing, not even what a request did not find."""

import pytest

from explorer.app.parts.lede import LEDES
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("address", LEDES, ids=lambda address: address or "explore")
def test_the_console_stays_clean(page, server, address):
    said: list[str] = []

    def read(line):
        if line.type == "error":
            said.append(line.text)

    def look(answer):
        if answer.status >= 400:
            said.append(answer.url)

    page.on("console", read)
    page.on("response", look)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{server.url}/{address}")
    page.locator("#root .explorer-lede").wait_for()
    wait_for_script(page)
    assert said == []
