"""ELBO: one image under the microscope, in five sections."""

from collections.abc import Callable

import streamlit as st

from explorer.app.cached import find_run, get_run_with_model, own_runs
from explorer.app.text import text
from explorer.app.views.elbo_chains import show_chains
from explorer.app.views.elbo_microscope import show_microscope
from explorer.app.views.elbo_players import show_players
from explorer.app.views.elbo_reveal import show_reveal
from explorer.app.views.elbo_samples import show_samples
from explorer.app.views.elbo_subject import Subject
from explorer.errors import ExplorerError
from explorer.export.pictures import find_pictures
from explorer.store import pretrained_store

SECTIONS: dict[str, Callable[[Subject], None]] = {
    "microscope": show_microscope,
    "reveal": show_reveal,
    "samples": show_samples,
    "chains": show_chains,
    "players": show_players,
}
FAVOURITE = "mnist-2d"


def list_subjects() -> list[str]:
    """Return the ids of the runs with a Gaussian q(z|x) and weights, the favourite first."""
    runs = pretrained_store().list() + own_runs().list()
    ids = [
        run.id
        for run in runs
        if run.info.latent_kind == "gaussian" and (run.path / "checkpoint.safetensors").is_file()
    ]
    return sorted(ids, key=lambda run_id: run_id != FAVOURITE)


def choose_subject() -> Subject | None:
    """Return the model and image that the widgets ask for; None where nothing can be shown."""
    ids = list_subjects()
    asked = st.query_params.get("run")
    left, right = st.columns(2)
    with left:
        chosen = st.selectbox(
            text("elbo.model"), ids, index=ids.index(asked) if asked in ids else 0,
            key="elbo_model",
        )  # fmt: skip
    if chosen is None:
        st.info(text("elbo.no_models"))
        return None
    st.query_params["run"] = chosen
    run = get_run_with_model(find_run(chosen))
    pictures = find_pictures(run)
    if pictures is None:
        st.info(text("elbo.no_pictures"))
        return None
    with right:
        index = st.number_input(
            text("elbo.image"), 0, len(pictures.images) - 1, 0, key="elbo_image"
        )
    return Subject(run, pictures, int(index))


def show_page() -> None:
    """Lay out the page: what is looked at, then the chosen section."""
    st.caption(text("elbo.lead"))
    try:
        subject = choose_subject()
    except ExplorerError as error:
        st.error(str(error))
        return
    if subject is None:
        return
    section = st.segmented_control(
        text("elbo.section"), list(SECTIONS), default=next(iter(SECTIONS)), key="elbo_section",
        format_func=lambda name: text(f"elbo.section.{name}"), label_visibility="collapsed",
    )  # fmt: skip
    SECTIONS[section or next(iter(SECTIONS))](subject)


show_page()
