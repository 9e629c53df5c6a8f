"""Explore: the latent map of one model. Everything that moves, moves in the browser."""

import base64
from typing import Any

import streamlit as st

from explorer.app.cached import get_run_with_model, own_runs
from explorer.app.components import answers, latent_map, send_message
from explorer.app.components.cache import get_page, get_payload
from explorer.app.text import text
from explorer.errors import ExplorerError
from explorer.export.tables import codes_parquet
from explorer.run import Run
from explorer.store import pretrained_store

FAVOURITE = "mnist-2d"
MAP = "explore_map"
# The whole page is one picture: it takes the width that text pages leave free.
WIDE = "<style>.stMainBlockContainer{padding:3.9rem clamp(12px,2.2vw,28px) 0;max-width:1560px}</style>"


def list_models() -> dict[str, Run]:
    """Return what can be opened here, by id: pretrained models, then the visitor's runs."""
    runs = [*sorted(pretrained_store().list(), key=lambda run: run.id != FAVOURITE), *own_runs().list()]
    return {
        run.id: run
        for run in runs
        if run.info.model_kind == "builtin" and (run.path / "checkpoint.safetensors").is_file()
    }


def remember_model() -> None:
    """Open the model that was picked in the component's own menu."""
    st.session_state["explore_model"] = st.session_state[MAP]["model"]


def answer(run: Run, result: Any) -> dict[str, Any]:
    """Return what the component asked for: a decoded picture, a code, a file."""
    message: dict[str, Any] = {}
    model = run.model
    found = [
        answers.answer_encode(model, result.get("encode")) if result.get("encode") else None,
        answers.answer_decode(model, result.get("decode")) if result.get("decode") else None,
    ]
    if any(found):
        message["decoded"] = [entry for entry in found if entry]
    wanted = result.get("export")
    if isinstance(wanted, dict):
        try:
            message["file"] = make_file(run, wanted)
        except ExplorerError as error:
            message["failure"] = str(error)
    return message


def make_file(run: Run, wanted: dict[str, Any]) -> dict[str, str]:
    """Return a file to save: {name, type, data in base64}."""
    name = run.id.replace("/", "-")
    if wanted.get("kind") == "html":
        data = get_page(run, str(wanted.get("scene", ""))[:4000])
        kind, name = "text/html", f"{name}.html"
    else:
        data = codes_parquet(run, [int(value) for value in wanted.get("ids", [])])
        kind, name = "application/vnd.apache.parquet", f"{name}-codes.parquet"
    return {"name": name, "type": kind, "data": base64.b64encode(data).decode()}


@st.fragment
def show_map() -> None:
    """Mount the map of the chosen model and answer what it asks."""
    models = list_models()
    if not models:
        st.info(text("explore.no_models"))
        return
    wanted = st.session_state.get("explore_model") or st.query_params.get("model")
    if wanted is not None and wanted not in models:
        st.toast(text("explore.unknown_model", name=str(wanted)[:60]))
        st.session_state.pop("explore_model", None)
        wanted = None
    run = get_run_with_model(models[wanted or next(iter(models))])
    result = latent_map(
        get_payload(run),
        MAP,
        on_z_change=lambda: None,
        on_picture_change=lambda: None,
        on_selected_change=lambda: None,
        on_encode_change=lambda: None,
        on_decode_change=lambda: None,
        on_picked_change=lambda: None,
        on_export_change=lambda: None,
        on_model_change=remember_model,
    )
    shipped = {entry.id for entry in pretrained_store().list()}
    menu = [
        {
            "id": entry.id,
            "name": entry.name,
            "group": text("explore.group_pretrained" if entry.id in shipped else "explore.group_own"),
        }
        for entry in models.values()
    ]
    send_message({"models": menu, "run": run.id, **answer(run, result)}, "explore_messages")


st.html(WIDE)
show_map()
