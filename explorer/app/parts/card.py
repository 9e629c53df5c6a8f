"""The card that floats over the pages and lights up what it speaks of: a chapter in short."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.app.text import sentences, text
from explorer.browser import read_script

PAGES = ("explore", "train", "beta", "collapse", "elbo", "models")
"""The pages over which a card has something to light up; the last part of their address."""

ELSEWHERE = ("learn", "runs")
"""The other pages."""


@dataclass(frozen=True)
class Card:
    """One card: its chapter of Learn, its number there, and CSS selectors for each page.

    Of selectors with commas the first one that is seen is framed.
    """

    chapter: str
    number: int
    targets: Mapping[str, str]

    @property
    def name(self) -> str:
        """How the address names it, such as "kl.1"."""
        return f"{self.chapter}.{self.number}"


CARDS = (
    Card("latents", 1, {
        "explore": ".map", "train": ".st-key-train_map", "elbo": ".part-map",
        "models": "[class*='st-key-compare_map_']",
    }),
    Card("latents", 2, {"explore": ".part-output", "collapse": ".st-key-collapse_moves"}),
    Card("mixture", 1, {"explore": ".map", "train": ".st-key-train_map"}),
    Card("elbo", 1, {
        "explore": ".likelihood, .part-panel", "train": ".st-key-train_curves",
        "beta": ".st-key-beta_plane",
        "elbo": ".bars, .st-key-elbo_players_bound, .st-key-elbo_section",
    }),
    Card("elbo", 2, {
        "explore": ".likelihood, .part-panel",
        "elbo": ".part-stage, .st-key-elbo_players_bound, .st-key-elbo_section",
    }),
    Card("kl", 1, {
        "explore": ".part-sliders", "train": ".st-key-train_kl", "beta": ".st-key-beta_kl",
        "collapse": "[class*='st-key-collapse_timeline_']",
    }),
    Card("kl", 2, {
        "explore": ".map", "collapse": "[class*='st-key-collapse_plane_']",
        "models": "[class*='st-key-compare_map_'][class*='vae'], [class*='st-key-compare_map_']",
    }),
    Card("sigma", 1, {
        "train": ".st-key-train_likelihood, .st-key-train_settings",
        "collapse": ".st-key-collapse_loss",
    }),
    Card("reparameterise", 1, {
        "explore": ".map", "train": ".st-key-train_curves",
        "elbo": ".part-stage, .st-key-elbo_section",
    }),
    Card("collapse", 1, {
        "explore": ".part-sliders", "train": ".st-key-train_kl", "beta": ".st-key-beta_units",
        "collapse": "[class*='st-key-collapse_timeline_']",
    }),
    Card("collapse", 2, {"collapse": ".st-key-collapse_remedies", "beta": ".st-key-beta_maps"}),
    Card("notation", 1, {
        "explore": ".likelihood, .part-panel", "elbo": ".bars, .st-key-elbo_section",
    }),
)  # fmt: skip
"""All cards, in the order of the chapters."""

_renderers: dict[int, Callable[..., Any]] = {}


def show_card() -> None:
    """Put the switch into the app's bar, and the card over the page while it is open."""
    chapters = tuple(dict.fromkeys(card.chapter for card in CARDS))
    data = {
        "cards": [
            {
                "name": card.name,
                "chapter": card.chapter,
                "targets": dict(card.targets),
                "title": text(f"card.{card.name}.title"),
                "text": text(f"card.{card.name}"),
            }
            for card in CARDS
        ],
        "chapters": {name: text(f"learn.chapter.{name}") for name in chapters},
        "pages": {page: text(f"nav.{page}") for page in PAGES},
        "elsewhere": list(ELSEWHERE),
        "words": sentences("card.word."),
    }
    with st.container(key="card"):
        _renderer()(key="card_mount", data=data, height=1)


def offer_card(chapter: str) -> None:
    """Show a button that takes a chapter along as a card; the browser answers it."""
    label = text("card.take")
    st.html(f'<button type="button" class="explorer-card-take" data-card="{chapter}.1">{label}'
            "</button>", width="content")  # fmt: skip


def _renderer() -> Callable[..., Any]:
    from streamlit.components.v2 import component
    from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager

    manager = id(get_bidi_component_manager())
    if manager not in _renderers:
        _renderers.clear()
        _renderers[manager] = component("explorer_card", js=read_script("card"))
    return _renderers[manager]
