"""What `latent-explorer app` serves: the pages of main.py, with a first frame in their document."""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:
    sys.path.insert(1, _ROOT)

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from streamlit import config, file_util  # noqa: E402

from explorer.app.offers import OFFERS  # noqa: E402
from explorer.app.opening import Opening  # noqa: E402

OFFERS.is_open = True
app = st.App(
    Path(__file__).with_name("main.py"),
    middleware=[
        Middleware(
            Opening,
            static=Path(file_util.get_static_dir()),
            base=config.get_option("server.baseUrlPath") or "",
        )
    ],
)
