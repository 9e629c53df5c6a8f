"""The guide over every page: what the page shows, part by part, each framed as its turn comes."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from explorer.app.parts.mount import enclose, script_component
from explorer.app.text import sentences, text


@dataclass(frozen=True)
class Stop:
    """One part of a page: the key of its sentences, and where it is.

    Of selectors with commas the first one that is seen is framed.
    """

    key: str
    target: str
    chapter: str = ""
    """The chapter of Learn that tells the whole story."""


SECTION = ".st-key-elbo_section"

GUIDE: Mapping[str, tuple[Stop, ...]] = {
    "explore": (
        Stop("tour_input", ".part-input", "latents"),
        Stop("tour_map", ".map", "mixture"),
        Stop("tour_output", ".part-output", "latents"),
        Stop("tour_sliders", ".part-sliders", "kl"),
        Stop("tour_panel", ".likelihood, .part-panel", "elbo"),
    ),
    "learn": (
        Stop("learn_chapters", ".st-key-learn_chapter"),
        Stop("learn_formula", ".st-key-learn_body"),
        Stop("learn_question", "[class*='st-key-learn_question_']"),
    ),
    "train": (
        Stop("train_settings", ".st-key-train_settings", "sigma"),
        Stop("train_start", ".st-key-train_start"),
        Stop("train_curves", ".st-key-train_stage, .st-key-train_curves", "elbo"),
    ),
    "beta": (
        Stop("beta_plane", ".plane, .st-key-beta_stage", "collapse"),
        Stop("beta_maps", ".map, .st-key-beta_stage", "collapse"),
        Stop("beta_units", ".st-key-beta_units", "collapse"),
    ),
    "collapse": (
        Stop("collapse_film", "[class*='st-key-collapse_timeline_']", "collapse"),
        Stop("collapse_remedies", ".st-key-collapse_cure", "collapse"),
        Stop("collapse_own", ".st-key-collapse_subject", "sigma"),
    ),
    "elbo": (
        Stop("elbo_stage", f".part-stage, {SECTION}", "elbo"),
        Stop("elbo_bars", f".bars, .st-key-elbo_players_bound, {SECTION}", "elbo"),
        Stop("elbo_panel", f".part-panel, {SECTION}", "elbo"),
    ),
    "models": (
        Stop("models_maps", "[class*='st-key-compare_map_']", "mixture"),
        Stop("models_figures", ".explorer-compare", "elbo"),
    ),
    "runs": (Stop("runs_table", ".st-key-runs_table"),),
}
"""The parts of each page, by the last part of its address, in the order in which they are read."""


def show_guide() -> None:
    """Put the switch into the app's bar, and the guide over the page while it is open."""
    data = {
        "pages": {page: [_describe(stop) for stop in stops] for page, stops in GUIDE.items()},
        "words": sentences("guide.word."),
    }
    with st.container(key="guide"):
        script_component("guide")(key="guide_mount", data=enclose(data), height=1)


def _describe(stop: Stop) -> dict[str, str]:
    """Return a stop as the browser wants it; without a chapter it points nowhere."""
    if stop.key.startswith("tour_"):  # The map's own tour, which an exported page has too.
        title, words = text(f"explore.{stop.key}_title"), text(f"explore.{stop.key}")
    else:
        title, words = text(f"guide.{stop.key}.title"), text(f"guide.{stop.key}")
    chapter = text(f"learn.chapter.{stop.chapter}") if stop.chapter else ""
    return {
        "target": stop.target,
        "title": title,
        "text": words,
        "chapter": stop.chapter,
        "read": text("guide.read", chapter=chapter) if chapter else "",
    }
