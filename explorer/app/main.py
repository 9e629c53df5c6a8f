"""The app's entry: `latent-explorer app`, or `streamlit run explorer/app/main.py`."""

import sys
from pathlib import Path

# Hosts start this file from a checkout without installing it: the package is two folders up.
_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:
    sys.path.insert(1, _ROOT)

import streamlit as st  # noqa: E402

from explorer.app.collector import keep_heaps_small, shorten_collections  # noqa: E402
from explorer.app.hosts import refuse_strange_name  # noqa: E402
from explorer.app.parts.address import keep_own, tell_refused  # noqa: E402
from explorer.app.parts.failures import told  # noqa: E402
from explorer.app.parts.guide import show_guide  # noqa: E402
from explorer.app.parts.languages import show_language_switch  # noqa: E402
from explorer.app.parts.lede import (  # noqa: E402
    LEDES,
    SKELETONS,
    clear_outline,
    keep_until_lede,
    show_lede,
)
from explorer.app.parts.menu import tend_menu  # noqa: E402
from explorer.app.parts.present import show_present  # noqa: E402
from explorer.app.parts.theme import follow_theme  # noqa: E402
from explorer.app.parts.together import show_together  # noqa: E402
from explorer.app.parts.unseen import name_charts  # noqa: E402
from explorer.app.session import is_dark  # noqa: E402
from explorer.app.text import text  # noqa: E402
from explorer.browser import read_styles  # noqa: E402
from explorer.figures.palette import role_variables  # noqa: E402
from explorer.figures.pictures import icon, wordmark  # noqa: E402

st.set_page_config(
    page_title=text("app.title"), page_icon=icon(), layout="wide", initial_sidebar_state="collapsed"
)
refuse_strange_name()
shorten_collections()
keep_heaps_small()
st.html(f"<style>{read_styles('page', 'guide', 'opening', 'present')}</style>")
st.html(f"<style>:root {{{role_variables(is_dark())}}}</style>")
st.logo(wordmark(text("app.title"), is_dark()), size="large")
page = st.navigation(
    [
        st.Page("views/explore.py", title=text("nav.explore"), default=True),
        st.Page("views/learn/page.py", title=text("nav.learn"), url_path="learn"),
        st.Page("views/train/page.py", title=text("nav.train"), url_path="train"),
        st.Page("views/beta/page.py", title=text("nav.beta"), url_path="beta"),
        st.Page("views/collapse/page.py", title=text("nav.collapse"), url_path="collapse"),
        st.Page("views/elbo/page.py", title=text("nav.elbo"), url_path="elbo"),
        st.Page("views/models/page.py", title=text("nav.models"), url_path="models"),
        st.Page("views/runs/page.py", title=text("nav.runs"), url_path="runs"),
    ],
    position="top",
)
show_language_switch()
show_guide()
show_present()
with told():
    show_together()
tend_menu()
follow_theme()
name_charts()
# It stands there at every run: a page whose parts change places is seen twice until its last one.
waiting = st.empty()
if page.url_path and "torch" not in sys.modules:
    # Only a server's first visitor waits for the libraries, and not on Explore, whose map needs
    # none of them. A spinner around the page would stand above what is there already, until the
    # page's last element has come.
    with waiting.container():
        show_lede(LEDES[page.url_path])
        with st.spinner(text("app.loading")):
            if page.url_path in SKELETONS:
                st.html(SKELETONS[page.url_path])
            from explorer.training.machine import loading_libraries

            with loading_libraries():
                import torch  # noqa: F401
    keep_until_lede(waiting)
keep_own(page.url_path)
with told():
    page.run()
clear_outline()
tell_refused()
