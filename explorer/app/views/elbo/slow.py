"""Slow motion: one training step on one image, part by part, each in its colour."""

import html

import numpy as np
import streamlit as st

from explorer.analysis.teaching.players import SlowMotion
from explorer.app.cached.elbo_sections import get_slow_motion
from explorer.app.observation import Observation
from explorer.app.parts.charts import role_colours
from explorer.app.parts.kept import Kept, count_up
from explorer.app.text import number, text
from explorer.figures.elbo_players import heat_picture
from explorer.figures.pictures import data_uri, encode_png, picture_sheet

STAGES = ("encode", "noise", "sample", "decode", "reconstruction", "kl", "update")
ROLES = ("mean", "sigma", "latent", "reconstruction", "reconstruction", "kl", "objective")
STAGE, SEED = Kept("elbo_slow_stage", 0), Kept("elbo_slow_seed", 0)
TOUCHED = Kept("elbo_slow_touched", False)
"""Whether it was a press, and not the time, that drew the page."""
SECONDS = 2.5
SHOWN = 2
"""Latent dimensions whose numbers are printed."""


def ask_to_play() -> bool:
    """Return whether the visitor wants the stages to follow one another by themselves."""
    return st.toggle(
        text("elbo_slow.play"), key="elbo_slow_play", on_change=TOUCHED.put, args=(True,)
    )


def show_slow_motion(observation: Observation, playing: bool) -> None:
    """Lay out the stages with their buttons; while it plays, the next one comes by itself."""
    st.fragment(_show, run_every=SECONDS if playing else None)(observation, playing)


def _show(observation: Observation, playing: bool) -> None:
    stage = STAGE.get()
    if playing and not TOUCHED.get():
        stage = (stage + 1) % len(STAGES)
    STAGE.put(stage)
    TOUCHED.put(False)
    walk = get_slow_motion(observation, SEED.get())
    last = len(STAGES) - 1
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            text("elbo_slow.back"),
            key="elbo_slow_back",
            on_click=_go,
            args=(stage - 1,),
            disabled=stage == 0,
            shortcut="Left",
        )
        st.button(
            text("elbo_slow.next"),
            key="elbo_slow_next",
            on_click=_go,
            args=(stage + 1,),
            disabled=stage == last,
            shortcut="Right",
            type="primary",
        )
        st.button(text("elbo_slow.again"), key="elbo_slow_again", on_click=_draw_noise)
    cards = [_card(walk, place, stage) for place in range(len(STAGES))]
    st.html(f'<div class="explorer-stages">{"".join(cards)}</div>')
    st.markdown(text(f"elbo_slow.{STAGES[stage]}.what"))
    st.html(f'<div class="explorer-identity">{_identity(walk, stage)}</div>')


def _go(stage: int) -> None:
    STAGE.put(min(max(stage, 0), len(STAGES) - 1))
    TOUCHED.put(True)


def _draw_noise() -> None:
    count_up(SEED)
    _go(STAGES.index("noise"))


def _card(walk: SlowMotion, place: int, stage: int) -> str:
    name = STAGES[place]
    state = "now" if place == stage else "done" if place < stage else "later"
    return (
        f'<div class="explorer-stage" data-state="{state}" data-stage="{name}" '
        f'style="--stage: var(--role-{ROLES[place]})">'
        f"<h4>{text(f'elbo_slow.{name}')}</h4>{_content(walk, name)}</div>"
    )


def _identity(walk: SlowMotion, stage: int) -> str:
    """Return reconstruction + KL = −ELBO, each part lit once it has been reached."""
    lit = {
        f"{name}_lit": str(stage >= STAGES.index(at)).lower()
        for name, at in (("reconstruction", "reconstruction"), ("kl", "kl"), ("sum", "update"))
    }
    return text(
        "elbo_slow.identity",
        reconstruction=walk.reconstruction,
        kl=walk.kl,
        objective=walk.objective,
        **lit,
    )


def _content(walk: SlowMotion, name: str) -> str:
    if name == "encode":
        pair = text("elbo_slow.encode.values", mean=_vector(walk.mean), sd=_vector(walk.sd))
        return _picture(_grey(walk.x), "x") + pair
    if name == "decode":
        return _picture(_grey(walk.picture), "p(x|z)") + text("elbo_slow.decode.values")
    if name == "reconstruction":
        heat = heat_picture(walk.pixel_nats, role_colours().reconstruction)
        nats = text("elbo_slow.reconstruction.values", reconstruction=walk.reconstruction)
        return _picture(heat, text("elbo_slow.reconstruction.what")) + nats
    parts = " + ".join(number(v, ".2f") for v in walk.kl_per_dim[:SHOWN])
    return text(
        f"elbo_slow.{name}.values",
        noise=_vector(walk.noise),
        z=_vector(walk.z),
        kl=walk.kl,
        parts=parts + (" + …" if len(walk.kl_per_dim) > SHOWN else ""),
        before=walk.objective,
        after=walk.after,
        encoder=walk.gradients[0],
        decoder=walk.gradients[1],
    )


def _vector(values: np.ndarray) -> str:
    more = ", …" if len(values) > SHOWN else ""
    return "(" + ", ".join(number(v, ".3f") for v in values[:SHOWN]) + more + ")"


def _grey(picture: np.ndarray) -> np.ndarray:
    return (255 * picture.clip(0, 1)).round().astype(np.uint8)


def _picture(values: np.ndarray, words: str) -> str:
    sheet = picture_sheet(values[None], 1)
    uri = data_uri(encode_png(sheet, max(1, 112 // sheet.shape[0])))
    return f'<img src="{uri}" alt="{html.escape(words)}">'
