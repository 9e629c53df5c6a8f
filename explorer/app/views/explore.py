"""Explore: the latent map of one model. Everything that moves, moves in the browser."""

import base64
import contextlib
from typing import Any

import streamlit as st

from explorer.app.cached import (
    get_member,
    get_page,
    get_payload,
    get_projection,
    get_run_with_model,
)
from explorer.app.maps import list_models
from explorer.app.offers import OFFERS
from explorer.app.parts.address import read_as
from explorer.app.parts.failures import told
from explorer.app.parts.kept import Kept, read_widget
from explorer.app.parts.lede import SKELETON, show_lede
from explorer.app.parts.mount import (
    REQUESTS,
    await_map,
    latent_map,
    send_member,
    send_message,
)
from explorer.app.parts.names import label_run
from explorer.app.session import library, name_owner
from explorer.app.text import explain, in_words, language, plain, text
from explorer.errors import ExplorerError
from explorer.export.tables import codes_parquet
from explorer.export.tsne import PROJECTIONS
from explorer.runs.run import Run

MAP = "explore_map"
MODEL: Kept[str | None] = Kept("explore_model", None)
"""Picked in the map's own menu."""
UNKNOWN: Kept[str | None] = Kept("explore_unknown", None)
"""Asked for by the address, and not here."""
PROJECT: Kept[str | None] = Kept("explore_project", None)
"""Whose t-SNE the visitor asked for."""
POLL_SECONDS = 1.0
MAX_SCENE = 4000
# The whole page is one picture: it takes the width that text pages leave free.
WIDE = """<style>.stMainBlockContainer {
  padding: 3.9rem clamp(12px, 2.2vw, 28px) 0; max-width: 1560px;
}</style>"""


def asked_model() -> str | None:
    """Return the model that the menu, else the address, asks for."""
    return MODEL.get() or st.query_params.get("model")


def choose_model(models: dict[str, tuple[Run, str]]) -> Run:
    """Return the run that is asked for, the first where there is no such run."""
    wanted = asked_model()
    known = wanted if wanted in models else next(iter(models))
    return models[known][0]


def remember_model() -> None:
    """Open the model that was picked in the component's own menu."""
    MODEL.put(read_widget(MAP)["model"])
    UNKNOWN.forget()


def answer(run: Run, result: Any) -> dict[str, Any]:
    """Return what the component asked for: a decoded picture, a code, a file."""
    message: dict[str, Any] = {}
    if any(result.get(kind) for kind in REQUESTS):
        from explorer.app.parts.answers import answer_all

        message["decoded"] = answer_all(get_run_with_model(run), result)
    wanted = result.get("export")
    if isinstance(wanted, dict):
        try:
            message["file"] = make_file(run, wanted)
        except ExplorerError as error:
            message["failure"] = in_words(error)
    return message


def make_file(run: Run, wanted: dict[str, Any]) -> dict[str, str]:
    """Return a file to save: {name, type, data in base64}."""
    name = run.id.replace("/", "-")
    if wanted.get("kind") == "html":
        data = get_page(run, str(wanted.get("scene", ""))[:MAX_SCENE])
        kind, name = "text/html", f"{name}.html"
    else:
        data = codes_parquet(run, [int(value) for value in wanted.get("ids", [])])
        kind, name = "application/vnd.apache.parquet", f"{name}-codes.parquet"
    return {"name": name, "type": kind, "data": base64.b64encode(data).decode()}


@st.fragment
@told()
def show_map(models: dict[str, tuple[Run, str]]) -> None:
    """Mount the map of the chosen model and answer what it asks."""
    run = choose_model(models)
    nothing = dict.fromkeys(
        (f"on_{name}_change" for name in ("z", *REQUESTS, "picked", "export")),
        lambda: None,
    )
    payload = get_payload(run)
    owner = name_owner() if library().is_own(run) else ""
    named = run.id if asked_model() == run.id else ""
    result = latent_map(
        payload,
        OFFERS.offer(payload, named, language(), owner),
        MAP,
        on_model_change=remember_model,
        on_project_change=lambda: None,
        **nothing,
    )
    if result.get("project"):
        PROJECT.put(run.id)
        st.rerun()
    if result.get("model"):
        # The sweep lies outside this fragment, so that a click does not send it again.
        st.rerun()
    menu = [
        {"id": entry.id, "name": label_run(entry), "group": name_group(entry, group)}
        for entry, group in models.values()
    ]
    send_message({"models": menu, **answer(run, result)}, "explore_messages")


def name_group(run: Run, group: str) -> str:
    """Return the heading of a run in the menu: its sweep's name, else whose it is, and of what."""
    folder = run.id.rpartition("/")[0]
    if folder:
        return text("explore.group_sweep", name=folder)
    if group == "group_pretrained" and run.info.dataset is not None:
        return text("explore.group_pretrained_of", name=run.info.dataset.name)
    return text(f"explore.{group}")


@st.fragment
@told()
def show_sweep(models: dict[str, tuple[Run, str]]) -> None:
    """Hand the map, once it stands there, the models that differ from the chosen one in β alone."""
    if not await_map(choose_model(models).id, "explore_sweep"):
        return
    # With the networks comes PyTorch, for which the map need not wait.
    from explorer.export.sweep import find_siblings

    run = get_run_with_model(choose_model(models))
    siblings = find_siblings(run, (entry for entry, _ in models.values()))
    for number, sibling in enumerate(siblings):
        # The map does without a model of the sweep that cannot be read.
        with contextlib.suppress(ExplorerError):
            send_member(get_member(sibling, run), f"explore_member_{number}")


@st.fragment(run_every=POLL_SECONDS)
@told()
def follow_projection(run: Run) -> None:
    """Tell the map how far its t-SNE is, and start over once it is there."""
    projection = get_projection(run)
    if projection is None:
        return
    PROJECTIONS.start(projection, name_owner())
    if projection.result() is not None or projection.failed():
        st.rerun()
    message = {"of": run.id, "percent": projection.percent()}
    send_message({"projection": message}, "explore_projection")


def show_projection(models: dict[str, tuple[Run, str]]) -> None:
    """Compute the t-SNE that the map asked for, or hand it over."""
    entry = models.get(PROJECT.get() or "")
    if entry is None:
        return
    run = entry[0]
    projection = get_projection(run)
    if projection is None:
        return
    plane = projection.result()
    if plane is None and not projection.failed():
        follow_projection(run)
        return
    message: dict[str, Any] = {"of": run.id, "failed": plane is None}
    if plane is not None:
        for axis, name in enumerate(("xs", "ys")):
            message[name] = base64.b64encode(plane[:, axis].tobytes()).decode()
    send_message({"projection": message}, "explore_projection_done")


def show_page() -> None:
    """Show the map, or what to do where there is no model."""
    models = list_models()
    read_as("model", "run")
    if not models:
        st.info(text("explore.no_models"))
        return
    if (wanted := asked_model()) is not None and wanted not in models:
        UNKNOWN.put(wanted)
    # It stays until a model is chosen: the address soon names the one that is shown instead.
    if unknown := UNKNOWN.get():
        st.warning(text("explore.unknown_model", name=plain(unknown[:60])))
    show_lede("explore.lede")
    st.html(SKELETON)
    try:
        get_payload(choose_model(models))
    except ExplorerError as error:
        st.error(explain(error))
        broken = asked_model()
        models.pop(broken if broken in models else next(iter(models)))
    if not models:
        return
    show_map(models)
    show_sweep(models)
    show_projection(models)


st.html(WIDE)
show_page()
