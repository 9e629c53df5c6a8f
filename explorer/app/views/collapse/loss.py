"""What is my β? A loss as it stands in somebody's code, and what it means."""

import hashlib
from typing import Any

import streamlit as st

from explorer.analysis.consultation.consult import Weight
from explorer.analysis.loss.answer import ANSWERED_BY, correct
from explorer.analysis.loss.effective import GAUSSIANS, LossMeaning, effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.understood import (
    ANNEALING,
    FLOORS,
    KLS,
    OVER_BATCH,
    OVER_LATENTS,
    OVER_PIXELS,
    RECONSTRUCTIONS,
    Data,
    Understood,
)
from explorer.app.cached import get_dataset, measure_eigenvalues
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.choices import bound_number, bound_select
from explorer.app.session import library
from explorer.app.text import explain, paragraph, plain, text
from explorer.errors import ExplorerError
from explorer.figures.thresholds import threshold_bars

EXAMPLE = """recon = F.mse_loss(x_hat, x)
kl = -0.5 * torch.mean(1 + logvar - mu.pow(2) - logvar.exp())
loss = recon + 0.1 * kl"""
OWN_DATA = ""
"""What the menu has for images that are not here; no data set is called so."""
RANGES = {"unit": (0.0, 1.0), "signed": (-1.0, 1.0), "bytes": (0.0, 255.0)}
EIGENVALUES_OF = {
    "squared-error": ("gaussian", 1.0),
    "gaussian": ("gaussian", 1.0),
    "absolute-error": ("laplace", 2.0),
    "laplace": ("laplace", 2.0),
    "bernoulli": ("bernoulli", 1.0),
    "bernoulli-logits": ("bernoulli", 1.0),
}
"""Reconstruction → the likelihood whose wake-up rule it has, and the σ² at which that is taken."""
LIMIT = 1e12


LATENTS = 20
"""In the example."""


def explain_loss() -> None:
    """Show the form "what is my β?" with an example, and the weight against the images."""
    with st.container(key="collapse_loss"):
        st.caption(text("loss.caption"))
        _read_loss(EXAMPLE, "loss_paste", LATENTS, None, bars=True)


def ask_for_loss(latents: int, images: str | None = None) -> Weight | None:
    """Show the form for the loss of codes at hand; return what it weighs KL with, once known.

    `latents` is how many these codes have, `images` the name of their data set.
    """
    with st.container(key="collapse_loss"):
        st.caption(text("loss.caption"))
        return _read_loss("", "loss_paste_own", latents, images)


def _read_loss(
    start: str, key: str, latents: int, images: str | None, *, bars: bool = False
) -> Weight | None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        paste = st.text_area(text("loss.paste"), start, height=110, key=key, placeholder=EXAMPLE)
        if not paste.strip():
            return None
        # The answer stands right below the question; what it rests on may be corrected below.
        answer = st.container()
    with right:
        data, dataset = _ask_for_data(latents, images)
    try:
        understood = read_loss(paste, data)
        corrected = _correct(understood, hashlib.sha1(paste.encode()).hexdigest()[:8])
        eigenvalues = _eigenvalues(dataset, corrected)
        meaning = effective_loss(corrected, data, eigenvalues=eigenvalues)
    except ExplorerError as error:
        answer.error(explain(error))
        return None
    weight = _weigh(meaning, corrected, eigenvalues)
    with answer:
        for doubt in corrected.doubts:
            st.warning(text(f"loss.doubt.{doubt.code}", text=plain(doubt.text)))
        _show_meaning(meaning, data, dataset)
        if bars and weight and weight.thresholds and meaning.surviving is not None:
            _show_bars(weight, data.latent_size, meaning.surviving)
    return weight


def _weigh(
    meaning: LossMeaning, loss: Understood, eigenvalues: list[float] | None
) -> Weight | None:
    """Return the weight of KL in the terms of the eigenvalues, None where the loss has none."""
    of_sigma2 = loss.reconstruction in GAUSSIANS
    level = meaning.sigma2 if of_sigma2 else meaning.beta
    if level is None or level <= 0:
        return None
    # The eigenvalues of a Laplace are of another scale than its loss may be.
    known = eigenvalues if of_sigma2 or loss.reconstruction.startswith("bernoulli") else None
    return Weight(level, tuple(known or ()), of_sigma2)


def _show_bars(weight: Weight, latents: int, surviving: int) -> None:
    """Show what the images hold against the loss's weight of KL."""
    named = "why.weight.used" if weight.of_sigma2 else "why.beta.used"
    figure = threshold_bars(
        weight.thresholds[:latents], weight.beta, role_colours(), name=text(named)
    )
    show_chart(figure, "collapse_loss_bars", text("why.loss", surviving=surviving, count=latents))


def _ask_for_data(start: int, images: str | None) -> tuple[Data, str | None]:
    """Return the data that the loss is meant for, and the data set where it is one at hand.

    `start` is how many latents it opens with, `images` its data set.
    """
    known_sets = library().image_sets()
    chosen = bound_select(
        f"loss_data_{images or ''}",
        "loss_data",
        [OWN_DATA, *known_sets],
        text("loss.data"),
        lambda name: text("loss.data.own") if name == OWN_DATA else name,
        images if images in known_sets else None,
    )
    known = None if chosen == OWN_DATA else get_dataset(chosen)
    shape = (1, 28, 28) if known is None else known.shape
    if known is None:
        shape = _ask_for_shape()
    first, second, third = st.columns(3)
    with first:
        key = f"loss_latents_{start}"
        latents = bound_number(key, "loss_latents", text("loss.latents"), 1, 100_000, start)
    with second:
        batch = bound_number("loss_batch", "loss_batch", text("loss.batch"), 1, 10**7, 128)
    with third:
        span = bound_select(
            "loss_range",
            "loss_range",
            [*RANGES, "standardised"],
            text("loss.range"),
            lambda name: text(f"loss.range.{name}"),
        )
    low, high = RANGES.get(span, (0.0, 1.0))
    return Data(shape, int(latents), int(batch), low, high, span == "standardised"), chosen or None


def _ask_for_shape() -> tuple[int, int, int]:
    """Return (C, H, W) of the visitor's own images."""
    asked = []
    for column, (name, start) in zip(
        st.columns(3), (("channels", 1), ("height", 28), ("width", 28)), strict=True
    ):
        with column:
            key = f"loss_{name}"
            given = bound_number(key, key, text(f"loss.{name}"), 1, 65_536, start)
        asked.append(int(given))
    return asked[0], asked[1], asked[2]


def _correct(understood: Understood, paste: str) -> Understood:
    """Show what was understood in fields, and return it as the visitor left them."""
    st.markdown(f"**{text('loss.understood')}**")
    columns = st.columns(4)

    def pick(place: int, name: str, options: tuple[str, ...]) -> str:
        with columns[place]:
            return st.selectbox(
                text(f"loss.field.{name}"),
                options,
                options.index(getattr(understood, name)),
                key=f"loss_{name}_{paste}",
                format_func=lambda option: text(f"loss.option.{option}"),
            )

    def weigh(place: int, name: str) -> float | None:
        with columns[place]:
            found: float | None = st.number_input(
                text(f"loss.field.{name}"),
                -LIMIT,
                LIMIT,
                getattr(understood, name),
                format="%.6g",
                key=f"loss_{name}_{paste}",
            )
        return found

    fields: dict[str, Any] = {
        "reconstruction": pick(0, "reconstruction", RECONSTRUCTIONS),
        "reconstruction_batch": pick(0, "reconstruction_batch", OVER_BATCH),
        "reconstruction_pixels": pick(1, "reconstruction_pixels", OVER_PIXELS),
        "reconstruction_weight": weigh(1, "reconstruction_weight"),
        "kl": pick(2, "kl", KLS),
        "kl_batch": pick(2, "kl_batch", OVER_BATCH),
        "kl_latents": pick(3, "kl_latents", OVER_LATENTS),
        "kl_weight": weigh(3, "kl_weight"),
    }
    if understood.annealing != "none":
        fields["annealing"] = pick(0, "annealing", ANNEALING)
    if understood.floor != "none":
        fields["floor"] = pick(1, "floor", FLOORS)
    if fields["reconstruction"] in ("gaussian", "laplace"):
        fields["scale"] = weigh(2, "scale")
    changed = {name: value for name, value in fields.items() if value != getattr(understood, name)}
    if understood.has("shapes_unclear"):
        with columns[3]:
            if st.checkbox(text("loss.settled"), key=f"loss_settled_{paste}"):
                changed |= {name: fields[name] for name in ANSWERED_BY["kl_sizes"]}
    return correct(understood, changed)


def _eigenvalues(dataset: str | None, loss: Understood) -> list[float] | None:
    """Return what the weight is held against, where the data are at hand."""
    known = EIGENVALUES_OF.get(loss.reconstruction)
    if dataset is None or known is None:
        return None
    return measure_eigenvalues(dataset, *known)


def _show_meaning(meaning: LossMeaning, data: Data, dataset: str | None) -> None:
    """Show β or σ², the advice, the notes, and the line that has the β that is advised."""
    if meaning.beta is not None:
        st.markdown(text("loss.means.beta", beta=meaning.beta))
    elif meaning.sigma2 is not None:
        st.markdown(text("loss.means.sigma2", sigma2=meaning.sigma2))
    elif meaning.scale is not None:
        st.markdown(text("loss.means.scale", scale=meaning.scale))
    if meaning.surviving is not None and dataset is not None:
        kept = {"surviving": meaning.surviving, "latents": data.latent_size}
        st.markdown(text("loss.surviving", dataset=plain(dataset), **kept))
    st.markdown(_advise(meaning))
    for note in meaning.notes:
        if note != meaning.advice.reason:
            st.markdown("- " + text(f"loss.note.{note}"))
    if meaning.corrected:
        st.caption(text("loss.corrected"))
        st.code(meaning.corrected, language="python", wrap_lines=True)


def _advise(meaning: LossMeaning) -> str:
    """Return the recommendation with its reason."""
    advice = meaning.advice
    at = ""
    if advice.sigma2 is not None:
        at = text("loss.at.sigma2", sigma2=advice.sigma2)
    elif advice.scale is not None:
        at = text("loss.at.scale", scale=advice.scale)
    asks = text("loss.join").join(text(f"loss.field.{name}") for name in meaning.asks)
    said = text(f"loss.advice.{advice.code}", factor=advice.factor_text, at=at, asks=asks)
    if advice.code in ("no_beta", "multiply_kl", "is_elbo_here") and advice.reason:
        return paragraph(said, text(f"loss.note.{advice.reason}"))
    return said
