"""Your own model on a page: two files are dropped, adopted elsewhere, asked about, and opened."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.adopting.files import SECONDS
from explorer.adopting.queue import (
    LARGEST_UPLOAD,
    STEPS,
    Adoption,
    AdoptionQueue,
    File,
    get_adoptions,
)
from explorer.adopting.told import Told
from explorer.app.parts.adopted import (
    as_table,
    describe_beta_of,
    describe_explained,
    describe_reading,
    show_findings,
)
from explorer.app.parts.jobs import press, try_or_toast
from explorer.app.parts.kept import Kept, count_up
from explorer.app.session import choose_own, library, name_visit
from explorer.app.text import explain, paragraph, plain, text
from explorer.facts import LIKELIHOODS
from explorer.models.adopted.question import KNOWN_LIKELIHOODS

PARTS = {"onnx": ("encoder", "decoder"), "weights": ("weights", "layers")}
"""Kinds of files, and what each kind consists of."""
TICK_SECONDS = 0.5
SHOWN_READINGS = 3
TAKEN = Kept("own_model_taken", 0)
"""How many models this visitor has handed over: each gets a fresh place to drop files."""
OPEN = Kept("own_model_open", False)
"""Whether the next run of the page opens the dialog by itself."""


def offer_own_model(key: str) -> None:
    """Show the button that opens the dialog of your own model, and what waits there.

    `key` is the button's.
    """
    if st.button(text("own_model.open"), key=key, icon=":material/upload_file:") or OPEN.get():
        OPEN.forget()
        _show_dialog()
    for adoption in choose_own(_adoptions().uploads()):
        state = "asks" if adoption.asks and adoption.state == "read" else adoption.state
        st.caption(text(f"own_model.here.{state}", name=plain(adoption.name)))


def _show_dialog() -> None:
    # Made here, for its title is in the visitor's language.
    st.dialog(text("own_model.title"), width="large")(_show_models)()


def _show_models() -> None:
    adoptions = choose_own(_adoptions().uploads())
    for adoption in adoptions:
        with st.container(border=True):
            _show_adoption(adoption)
    if not adoptions:
        _ask_for_files()
        return
    with st.expander(text("own_model.another")):
        _ask_for_files()


def _ask_for_files() -> None:
    """Show where files are dropped, and ask what nothing in them tells."""
    st.markdown(text("own_model.lede"))
    kind = st.segmented_control(
        text("own_model.kind"),
        list(PARTS),
        default="onnx",
        key="own_model_kind",
        required=True,
        format_func=lambda name: text(f"own_model.kind.{name}"),
        label_visibility="collapsed",
    )
    st.caption(text(f"own_model.how.{kind}"))
    dropped = {}
    for part, column in zip(PARTS[kind], st.columns(2), strict=True):
        dropped[part] = column.file_uploader(
            text(f"own_model.{part}"),
            key=f"own_model_{part}_{TAKEN.get()}",
            max_upload_size=LARGEST_UPLOAD // 1_000_000,
        )
    told = _ask_for_loss()
    name = st.text_input(text("own_model.name"), max_chars=60, key=f"own_model_name_{TAKEN.get()}")
    st.button(
        text("own_model.bring"),
        key="own_model_bring",
        type="primary",
        disabled=not all(dropped.values()),
        on_click=_bring,
        args=(dropped, told, name.strip()),
    )
    st.caption(text("own_model.safe", minutes=int(SECONDS // 60)))


def _ask_for_loss() -> Told:
    """Show the questions, and return the answers."""
    left, right = st.columns(2)
    images = left.selectbox(
        text("own_model.images"),
        library().image_sets(),
        key="own_model_images",
        help=text("own_model.images_help"),
    )
    likelihood = right.selectbox(
        text("own_model.likelihood"),
        KNOWN_LIKELIHOODS,
        key="own_model_likelihood",
        format_func=lambda name: text(f"own_model.likelihood.{name}"),
    )
    left, right = st.columns(2, vertical_alignment="bottom")
    answers: dict[str, Any] = {}
    facts = LIKELIHOODS[likelihood]
    if facts.scale != "none":
        answers["sigma2"] = left.number_input(
            text(f"own_model.sigma2.{likelihood}"),
            1e-6,
            1e6,
            None,
            format="%g",
            key="own_model_sigma2",
            placeholder=text("own_model.sigma2_open"),
            help=text(f"own_model.sigma2.{likelihood}.help"),
        )
    elif facts.may_binarise:
        answers["binarise"] = left.toggle(
            text("own_model.binarise"),
            key="own_model_binarise",
            help=text("own_model.binarise_help"),
        )
    answers["beta"] = right.number_input(
        text("own_model.beta"),
        0.0,
        1e6,
        None,
        format="%g",
        key="own_model_beta",
        placeholder=text("own_model.beta_open"),
        help=text("own_model.beta_help"),
    )
    return Told(images, likelihood, **answers)


def _adoptions() -> AdoptionQueue:
    root = library().data_root
    return get_adoptions(None if root is None else os.fspath(root))


def _bring(dropped: dict[str, Any], told: Told, name: str) -> None:
    def add() -> Adoption:
        library().admit_upload(max(file.size for file in dropped.values()))
        files = {part: File(file, file.name, file.size) for part, file in dropped.items()}
        called = name or Path(next(iter(files.values())).name).stem
        path = library().own.new_path(called)
        return _adoptions().add(files, path, replace(told, name=called), owner=name_visit())

    if try_or_toast(add):
        count_up(TAKEN)


def _show_adoption(adoption: Adoption) -> None:
    if adoption.state in ("waiting", "reading"):
        _follow(adoption)
    elif adoption.state == "failed":
        st.error(text("own_model.failed", message=explain(adoption.message)))
        _offer_discard(adoption, text("own_model.discard"))
    else:
        _show_what_came(adoption)


@st.fragment(run_every=TICK_SECONDS)
def _follow(adoption: Adoption) -> None:
    """Show how far an adoption is until it is over."""
    if adoption.state not in ("waiting", "reading"):
        OPEN.put(True)  # The dialog closes with the page's next run, and opens again on what came.
        st.rerun()
    step = adoption.step if adoption.state == "reading" else ""
    passed = STEPS.index(step) + 0.5 if step else 0.0
    words = text(f"own_model.step.{step or 'waiting'}", name=plain(adoption.name))
    if step:
        seconds = int(time.monotonic() - adoption.begun)
        words = paragraph(words, text("own_model.seconds", seconds=seconds))
    st.progress(passed / len(STEPS), words)
    _offer_end(adoption, text("job.stop"), _adoptions().stop)


def _show_what_came(adoption: Adoption) -> None:
    """Show what was found of a model, ask where readings fit alike, and open it."""
    run = adoption.run
    assert run is not None
    kept = as_table(run.info.model.adopted)
    st.markdown(f"**{plain(run.name)}**")
    if adoption.asks:
        _ask_for_reading(adoption)
        return
    report = as_table(kept.get("report"))
    show_findings(report)
    st.markdown(paragraph(describe_explained(report), describe_beta_of(kept)))
    explore, collapse, leave = st.columns(3)
    if explore.button(
        text("own_model.explore"),
        key=f"own_model_explore_{run.id}",
        type="primary",
        width="stretch",
    ):
        _adoptions().discard(adoption)
        st.switch_page("views/explore.py", query_params={"model": run.path.name})
    if collapse.button(
        text("own_model.collapse"), key=f"own_model_collapse_{run.id}", width="stretch"
    ):
        _adoptions().discard(adoption)
        st.switch_page("views/collapse/page.py", query_params={"run": run.path.name})
    with leave:
        _offer_discard(adoption, text("own_model.close"))


def _ask_for_reading(adoption: Adoption) -> None:
    """Show the readings that fit alike, each with its β, and ask which it is."""
    st.warning(text("own_model.asks"), icon=":material/help:")
    for place, reading in enumerate(adoption.readings()[:SHOWN_READINGS]):
        said, chosen = st.columns([4, 1], vertical_alignment="center")
        said.markdown(f"{describe_reading(reading)}  \n:small[{_name_details(reading)}]")
        chosen.button(
            text("own_model.choose"),
            key=f"own_model_choose_{place}_{id(adoption)}",
            width="stretch",
            on_click=press,
            args=(_adoptions().choose, adoption, reading),
        )
    _offer_discard(adoption, text("own_model.undecided"))


def _name_details(reading: dict[str, Any]) -> str:
    """Return the rest of a reading in its own words, by which two of one spread differ."""
    entered = reading["input"]
    pixels = f"{entered['layout']} × {entered['scale']} + {entered['shift']}"
    return plain(f"{reading['heads']} · {pixels} · {reading['output']}")


def _offer_discard(adoption: Adoption, words: str) -> None:
    _offer_end(adoption, words, _adoptions().discard)


def _offer_end(adoption: Adoption, words: str, end: Callable[[Adoption], None]) -> None:
    st.button(
        words,
        key=f"own_model_discard_{id(adoption)}",
        width="stretch",
        on_click=press,
        args=(end, adoption),
    )
