"""Models side by side: the same images, their reconstructions, maps and samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.representation.holes import SOURCES
from explorer.app.cached import get_codes, get_pictures, main_axes
from explorer.app.cached.compare import list_comparable
from explorer.app.parts.address import is_led_back, read_as, refuse
from explorer.app.parts.choices import bound_segments, kept_choice
from explorer.app.parts.failures import told
from explorer.app.parts.kept import is_shown, move_widget
from explorer.app.parts.names import label_run
from explorer.app.parts.sections import Section, show_beside, show_sections
from explorer.app.session import get_session, library
from explorer.app.text import plain, text
from explorer.app.views.models.compare_card import (
    SHOWN_IMAGES,
    hold_place,
    kind_of,
    show_heading,
    show_model,
)
from explorer.app.views.models.compare_numbers import (
    gather,
    show_components,
    show_figures,
    show_holes,
    tell_story,
)
from explorer.app.views.models.fits import follow_fits, new_fits, offer_fit
from explorer.codes import Array
from explorer.datasets import DATASETS
from explorer.export.payload import Pictures
from explorer.figures.compare import Square, common_square, fit_square
from explorer.runs.run import Run

FAVOURITES = (
    "strokes-ae-2d",
    "strokes-ae-noise-2d",
    "strokes-vae-2d",
    "strokes-ppca-2d",
    "mnist-2d",
    "mnist-20d",
    "mnist-vq",
)
FIRST_DATA = "strokes"
MOST = 5
BEHIND = ("nothing", "pictures", "holes")
ORDERS = ("drawn", "worst")
HEIGHTS = {2: 400, 3: 380, 4: 296, 5: 234}
"""Height in pixels of a map by the number of models, so that it is about as wide."""


def choose_runs() -> tuple[str, list[Run]]:
    """Show the choice of images and models; return the data set's name and the chosen runs."""
    found = list_comparable()
    if not found:
        st.info(text("compare.none"))
        return "", []
    read_as("models", "model")
    read_as("models", "run")
    names = sorted(found, key=lambda name: name != FIRST_DATA)
    asked_for = dict.fromkeys(st.query_params.get("models", "").split(","))
    first = next((n for n in names if any(run.id in asked_for for run in found[n])), names[0])
    left, right = st.columns([1, 4], vertical_alignment="bottom")
    with left:
        dataset = st.selectbox(
            text("compare.dataset"),
            names,
            names.index(kept_choice("compare_images", names, "images", first) or first),
            key="compare_images",
        )
    runs = {run.id: run for run in found[dataset]}
    wanted = [name for name in asked_for if name in runs]
    if st.query_params.get("images", dataset) == dataset and len(wanted) < len(asked_for) - (
        "" in asked_for
    ):
        refuse("models")
    start = wanted or [name for name in FAVOURITES if name in runs] or suggest(found[dataset])
    fits, new = get_session().fits, new_fits(list(runs))
    if new:  # The last of the chosen may make room.
        others = [name for name in start[:MOST] if name not in new]
        start = [*others[: max(0, MOST - len(new))], *new]
    # A new key is a new widget, which opens on its default: whatever was fitted stands there.
    fitted = sum(name in fits for name in runs)
    key = f"compare_of_{dataset}" + (f"_{fitted}" if fitted else "")
    if is_led_back() and is_shown(key):
        move_widget(key, start[:MOST])
    with right:
        chosen = st.multiselect(
            text("compare.models"),
            list(runs),
            start[:MOST],
            key=key,
            max_selections=MOST,
            help=text("compare.models_help"),
            format_func=lambda name: label_run(runs[name]) if name in runs else name,
        )
    fits.update(dict.fromkeys(new, True))
    st.query_params["images"] = dataset
    st.query_params["models"] = ",".join(chosen)
    return dataset, [runs[name] for name in chosen if name in runs]


def suggest(runs: Sequence[Run]) -> list[str]:
    """Return which models to open: one of each kind, the smallest; at least three where there are.

    Members of sweeps come last.
    """

    def place(run: Run) -> tuple[bool, bool, int, str]:
        info = run.info
        return "/" in run.id, not info.is_continuous, info.latent_dim, run.id

    ordered = sorted(runs, key=place)
    firsts: dict[str, str] = {}
    for run in ordered:
        firsts.setdefault(kind_of(run), run.id)
    chosen = list(firsts.values())
    others = [run.id for run in ordered if run.id not in chosen]
    return [*chosen, *others[: max(0, 3 - len(chosen))]][:MOST]


@dataclass(frozen=True)
class View:
    """What is looked at: behind the map, source of random codes, order of samples, scale."""

    behind: str
    source: str
    order: str
    same: bool


@dataclass(frozen=True)
class Comparison:
    """The chosen models, all of one data set, and what is shown of them."""

    runs: Sequence[Run]
    view: View
    at_hand: bool
    """Whether the images that they were made from are on this machine."""

    @cached_property
    def images(self) -> Array | None:
        """A few of the data set's images, or stand-ins of its kind."""
        return pick_images(get_pictures(self.runs[0]))

    @cached_property
    def squares(self) -> Mapping[str, Square]:
        """The part of the plane that each model's map shows, by id."""
        return find_squares(self.runs, self.view.same)

    @cached_property
    def figures(self) -> dict[str, dict[str, Any] | None]:
        """Figures of random codes, by id: measured once they are asked for, below the maps."""
        return gather(self.runs, self.view.source)

    @property
    def dataset(self) -> str:
        """The name of their data set."""
        dataset = self.runs[0].info.dataset
        assert dataset is not None
        return dataset.name


def choose_view() -> View:
    """Show what can be looked at and return what is."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_controls"):
        behind = _segments("behind", BEHIND)
        source = _segments("source", SOURCES, text("compare.source_help"))
        order = _segments("order", ORDERS)
        same = st.toggle(text("compare.same_scale"), key="compare_scale", bind="query-params")
    return View(behind, source, order, same)


def _segments(what: str, options: Sequence[str], hint: str | None = None) -> str:
    # Not bound to the address by Streamlit, which would write the labels of one language there.
    return bound_segments(
        f"compare_{what}",
        what,
        options,
        text(f"compare.{what}"),
        lambda name: text(f"compare.{what}.{name}"),
        help=hint,
    )


def find_squares(runs: Sequence[Run], same: bool) -> dict[str, Square]:
    """Return the part of the plane that each model with a map shows."""
    squares = {}
    for run in runs:
        codes = get_codes(run)
        if codes is not None and run.info.is_continuous:
            plane = codes.mean[:, list(main_axes(run))[: codes.mean.shape[1]]]
            flat = np.stack([plane[:, 0], np.zeros(len(plane))], 1)
            squares[run.id] = fit_square(plane if plane.shape[1] == 2 else flat)
    if same and squares:
        together = common_square(list(squares.values()))
        squares = dict.fromkeys(squares, together)
    return squares


def pick_images(pictures: Pictures | None) -> Array | None:
    """Return one picture of each of the first classes, uint8 (M, C, H, W)."""
    if pictures is None:
        return None
    if pictures.labels is None:
        return pictures.images[:SHOWN_IMAGES]
    firsts = [int(np.argmax(pictures.labels == label)) for label in np.unique(pictures.labels)]
    return pictures.images[firsts[:SHOWN_IMAGES]]


def offer_images(dataset: str, has_stand_ins: bool) -> None:
    """Say what stands in for images that are not at hand, and offer to draw them."""
    if has_stand_ins:
        st.caption(text("compare.stand_in", name=plain(dataset)))
    if dataset in DATASETS and DATASETS[dataset].offline:
        if st.button(
            text("compare.draw", name=dataset), key="compare_draw", help=text("compare.draw_help")
        ):
            with st.spinner(text("compare.drawing", name=dataset)):
                library().images(dataset)
            st.rerun()


def show_comparison() -> None:
    """Lay out the section."""
    dataset, runs = choose_runs()
    if not runs:
        return
    if len(runs) < 2:
        st.info(text("compare.too_few"))
        if runs and library().images_of(runs[0], at_once=True) is not None:
            offer_fit(runs[0], dataset)  # Of images of one's own there may be one model only.
    else:
        with told():
            compare(runs)
    follow_fits(dataset)


def find_comparison(runs: Sequence[Run]) -> Comparison:
    """Return what the sections show."""
    view = choose_view()
    assert runs[0].info.dataset is not None
    at_hand = library().images_of(runs[0], at_once=True) is not None
    if not at_hand and (view.behind == "holes" or view.order == "worst"):
        st.info(text("compare.need_images", name=plain(runs[0].info.dataset.name)))
    return Comparison(runs, view, at_hand)


def show_models(shown: Comparison) -> None:
    """Show the models in columns: map, reconstructions, samples."""
    view, runs, height = shown.view, shown.runs, HEIGHTS[len(shown.runs)]
    drawn, columns, places = get_session().drawn, st.columns(len(runs)), []
    for run, column in zip(runs, columns, strict=True):
        with column:
            show_heading(run)
            places.append(hold_place(None if run.id in drawn else height))
    for run, column, place in zip(runs, columns, places, strict=True):
        with column:
            show_model(
                run,
                shown.images,
                shown.squares.get(run.id),
                view.behind,
                view.source,
                view.order,
                height,
                place,
            )
        drawn.add(run.id)
    caption = text("compare.map_caption")
    if view.behind == "holes" and shown.at_hand:
        caption = f"{text('compare.map_caption_holes')} {caption}"
    st.caption(caption)
    if not shown.at_hand:
        pictures = get_pictures(runs[0])
        offer_images(shown.dataset, pictures is not None and pictures.source == "sample")


def show_story(shown: Comparison) -> None:
    """Say what noise and KL do apart, where this comparison shows it."""
    if shown.view.source == "prior" and (story := tell_story(shown.runs, shown.figures)):
        st.markdown(story)


def show_more(shown: Comparison) -> None:
    """Show the components of linear models, and offer to fit one."""
    show_components(shown.runs)
    if shown.at_hand:
        offer_fit(shown.runs[0], shown.dataset)


MODELS: tuple[Section[Comparison], ...] = (Section(show_models), Section(show_story))
NUMBERS: tuple[Section[Comparison], ...] = (
    Section(lambda shown: show_figures(shown.runs, shown.figures), title="compare.figures"),
    Section(lambda shown: show_holes(shown.runs, shown.figures), title="compare.holes_title"),
)
MORE: tuple[Section[Comparison], ...] = (Section(show_more),)


def compare(runs: Sequence[Run]) -> None:
    """Show the chosen models side by side, then in figures."""
    shown = find_comparison(runs)
    show_sections(MODELS, shown)
    show_beside(NUMBERS, shown, widths=(5, 3), gap="large")
    show_sections(MORE, shown)
