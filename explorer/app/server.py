"""What `latent-explorer app` serves: the pages of main.py, with a first frame in their document."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:
    sys.path.insert(1, _ROOT)

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from streamlit import cli_util, config, file_util  # noqa: E402
from streamlit.web.server import server_util  # noqa: E402

from explorer.app.admission import Admission  # noqa: E402
from explorer.app.hosts import KnownHosts  # noqa: E402
from explorer.app.leaving import Leaving  # noqa: E402
from explorer.app.maps import find_first_payload  # noqa: E402
from explorer.app.offers import OFFERS  # noqa: E402
from explorer.app.opening import Opening  # noqa: E402
from explorer.visitors.house import open_house  # noqa: E402


@asynccontextmanager
async def open_browser(_app: Any) -> AsyncGenerator[None, None]:
    """Open the browser once the server listens, as `streamlit run` does for a script alone."""
    if config.get_option("server.headless"):
        yield
        return
    waiting = asyncio.create_task(_open_when_it_listens())
    yield
    waiting.cancel()


async def _open_when_it_listens() -> None:
    address = config.get_option("server.address") or "localhost"
    host = server_util.get_display_address(address)
    port = config.get_option("server.port")
    while True:
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            break
    cli_util.open_browser(server_util.get_url(host))


OFFERS.is_open = True
BASE = config.get_option("server.baseUrlPath") or ""
HOUSE = open_house()
app = st.App(
    Path(__file__).with_name("main.py"),
    lifespan=open_browser,
    middleware=[
        Middleware(KnownHosts),
        *([] if HOUSE is None else [Middleware(Admission, house=HOUSE, base=BASE)]),
        Middleware(
            Opening,
            static=Path(file_util.get_static_dir()),
            base=BASE,
            find_first=find_first_payload,
        ),
        Middleware(Leaving),
    ],
)
