"""ELBO: one image under the microscope, in five sections."""

import streamlit as st

from explorer.app.cached import get_pictures, get_run_with_model
from explorer.app.observation import Observation, find_telling
from explorer.app.parts.address import read_as
from explorer.app.parts.choices import bound_section, kept_choice, kept_number
from explorer.app.parts.failures import told
from explorer.app.parts.kept import move_widget
from explorer.app.parts.lede import show_lede
from explorer.app.parts.names import label_run
from explorer.app.parts.sections import Section
from explorer.app.session import library
from explorer.app.text import text
from explorer.app.views.elbo.chains import show_chains
from explorer.app.views.elbo.microscope import show_microscope
from explorer.app.views.elbo.players import show_players
from explorer.app.views.elbo.reveal import show_reveal
from explorer.app.views.elbo.samples import show_samples
from explorer.app.views.elbo.shared import leave_image
from explorer.export.payload import Pictures
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.runs.run import Run

SECTIONS: dict[str, Section[Observation]] = {
    "microscope": Section(show_microscope),
    "reveal": Section(show_reveal, lede="elbo_reveal.lead"),
    "samples": Section(show_samples, lede="elbo_samples.lead"),
    "chains": Section(show_chains, lede="elbo_chains.lead"),
    "players": Section(show_players),
}
FAVOURITE = "mnist-2d"
MODEL, SECTION = "elbo_model", "elbo_section"
THUMBNAIL = 56
THUMBNAIL_STYLE = (
    f"width: {THUMBNAIL}px; height: {THUMBNAIL}px; display: block; object-fit: contain; "
    "background: #000; border-radius: 6px; image-rendering: pixelated;"
)


def list_models() -> dict[str, str]:
    """Return the names by id of the runs with a Gaussian q(z|x) and weights, the favourite first.

    Those whose p(z) is not N(0, I) are left out.
    """
    runs = library().runs({"shares", "model"}, first="shipped")
    runs.sort(key=lambda run: run.id != FAVOURITE)
    return {run.id: label_run(run) for run in runs}


def choose_run(names: dict[str, str]) -> str | None:
    """Return the model that the menu, else the address, asks for."""
    options = list(names)
    kept = kept_choice(MODEL, options, "run")
    return st.selectbox(
        text("elbo.model"),
        options,
        None if kept is None else options.index(kept),
        key=MODEL,
        format_func=lambda run_id: names.get(run_id, run_id),
        label_visibility="collapsed",
        width=230,
    )


def choose_image(run: Run, pictures: Pictures) -> int:
    """Return the place of the image that the widgets ask for, and show it in small.

    A model that is chosen anew opens on the image that tells most about it.
    """
    # A run of the visitor's may have a shipped one's name, but its images tell other things.
    telling = {} if library().is_own(run) else find_telling(run.id, pictures)
    last = len(pictures.images) - 1
    key = f"elbo_image_{run.id}"
    is_meant = st.query_params.get("run", run.id) == run.id
    index = kept_number(key, "image" if is_meant else None, next(iter(telling), 0), 0, last)
    sheet = picture_sheet(pictures.images[index : index + 1], 1)
    source = data_uri(encode_png(sheet, max(1, THUMBNAIL // sheet.shape[0])))
    label = "" if pictures.labels is None else str(pictures.labels[index])
    st.html(
        f'<img src="{source}" alt="{text("elbo.image")} {label}" style="{THUMBNAIL_STYLE}">',
        width="content",
    )
    st.number_input(
        text("elbo.image"), 0, last, index, key=key, width=118, label_visibility="collapsed"
    )
    place = (index + 1) % (last + 1)
    st.button(text("elbo.next"), key="elbo_next", on_click=move_widget, args=(key, place))
    if telling:
        st.caption(text("elbo.telling.lead"), width="content")
    for number, (place, note) in enumerate(telling.items()):
        st.button(
            note,
            key=f"elbo_telling_{number}",
            type="tertiary",
            on_click=move_widget,
            args=(key, place),
            disabled=place == index,
            help=text("elbo.telling"),
        )
    if pictures.source == "sample":
        st.caption(text("elbo.drawing"), width="content")
    return index


def choose_observation() -> Observation | None:
    """Return the model and image that the widgets ask for; None where nothing can be shown."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = choose_run(list_models())
        if chosen is None:
            st.info(text("elbo.no_models"))
            return None
        run = get_run_with_model(library().find(chosen))
        pictures = get_pictures(run)
        if pictures is None:
            st.info(text("elbo.no_pictures"))
            return None
        index = choose_image(run, pictures)
    leave_image(chosen, index)
    st.query_params.update({"run": chosen, "image": str(index)})
    return Observation(run, pictures, index)


def choose_section() -> str:
    """Return the section that the control, else the address, asks for."""
    label = text("elbo.section")
    return bound_section(SECTION, list(SECTIONS), label, lambda name: text(f"elbo.section.{name}"))


def show_page() -> None:
    """Lay out the page: what is looked at, then the chosen section."""
    show_lede("elbo.lead")
    read_as("run", "model")
    with told():
        observation = choose_observation()
        if observation is not None:
            SECTIONS[choose_section()].show(observation, observation.run)


show_page()
