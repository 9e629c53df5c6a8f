"""What a browser's console says of the pages: nothing, not even what a request did not find."""

import pytest

from explorer.app.parts.lede import LEDES
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("address", LEDES, ids=lambda address: address or "explore")
def test_the_console_stays_clean(page, server, address):
    lines, answers, said = [], [], []
    page.on("console", lines.append)
    page.on("response", answers.append)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{server.url}/{address}")
    page.locator("#root .explorer-lede").wait_for()
    wait_for_script(page)
    said += [line.text for line in lines if line.type == "error"]
    said += [answer.url for answer in answers if answer.status >= 400]
    assert said == []
