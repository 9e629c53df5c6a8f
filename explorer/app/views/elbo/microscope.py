"""ELBO under the microscope: the identity in two bars, and q against the exact posterior."""

import numpy as np
import streamlit as st

from explorer.analysis.inference.likelihood import bits_of_values
from explorer.analysis.inference.microscope import Balance
from explorer.app.cached.elbo import (
    MANY,
    compute_balance,
    find_lens,
    get_balance,
    get_estimate,
    get_grid,
    get_lens,
    get_refinement,
    known_balance,
)
from explorer.app.observation import Observation
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.kept import Kept
from explorer.app.parts.mount import balance_bars, lens, send_refinement
from explorer.app.text import explain, paragraph, sentences, text
from explorer.app.views.elbo.shared import check_normal
from explorer.errors import ExplorerError
from explorer.export.lens import describe_refinement
from explorer.figures.elbo import gap_histogram

LENS = "elbo_lens"
REFINED: Kept[tuple[object, object] | None] = Kept("elbo_refined", None)
"""Which lens was given the optimiser's path: the picture's place and the lens's fingerprint."""


def show_microscope(observation: Observation) -> None:
    """Lay out the section."""
    if observation.run.model.latent_dim == 2:
        with st.container(key="elbo_lead"):
            st.caption(text("elbo.microscope.lead"))
        try:
            payload = find_lens(observation)
            if payload is None:
                prepare_grid(observation)
                with st.spinner(text("elbo.preparing")):
                    payload = get_lens(observation)
            check_normal()
            show_lens(observation, payload)
        except ExplorerError as error:
            st.info(text("elbo.too_large", reason=explain(error)))
            show_balance(observation)
    else:
        show_balance(observation)
    show_many(observation)


def prepare_grid(observation: Observation) -> None:
    """Build what exact inference needs of a model, with a bar while that takes its time."""
    place = st.empty()

    def tell(share: float) -> None:
        place.progress(share, text("elbo.preparing"))

    get_grid(observation.run, tell)
    place.empty()


@st.fragment
def show_lens(observation: Observation, payload: bytes) -> None:
    """Mount the lens, and refine q when it asks for that."""
    result = lens(payload, LENS, on_refine_change=lambda: None)
    here = observation.run.fingerprint, observation.pictures.source, observation.index
    if result.refine:
        REFINED.put((here, result.refine))
    known = REFINED.get()
    if known is not None and known[0] == here:
        with st.spinner(text("elbo.refining")):
            path = get_refinement(observation)
        send_refinement({**describe_refinement(path), "fingerprint": known[1]}, "elbo_refinement")


def show_balance(observation: Observation) -> None:
    """Show the two bars of one image without a lens, and how far to believe them."""
    latents = observation.run.model.latent_dim
    if latents > 2:
        show_estimate(observation)
        return
    prepare_grid(observation)
    with st.spinner(text("elbo.preparing")):
        found = get_balance(observation)
    if latents == 1:
        st.caption(text("elbo.one_latent"))
    draw_bars(found, "elbo_bars")
    values = {"log_px": float(found.log_px[0]), "error": float(found.error[0])}
    told = text("elbo.exact" if found.trusted[0] else "elbo.exact.uncertified", **values)
    st.caption(paragraph(told, tell_bits(observation, values["log_px"])))


def show_estimate(observation: Observation) -> None:
    """Show the two bars of one image where log p(x) and the ELBO are estimated by draws."""
    with st.spinner(text("elbo.preparing")):
        found, elbo, samples = get_estimate(observation)
    st.caption(text("elbo.many_latents", count=observation.run.model.latent_dim))
    draw_bars(found, "elbo_bars")
    log_px, error = float(found.log_px[0]), float(found.error[0])
    trusted = bool(found.trusted[0])
    told = paragraph(
        text("elbo.estimate", log_px=log_px, error=error, samples=samples),
        tell_bits(observation, log_px),
        text("elbo.estimate.trusted" if trusted else "elbo.estimate.flagged"),
        text("elbo.estimate.elbo", elbo=elbo.elbo, elbo_error=elbo.error, decodes=elbo.decodes),
    )
    (st.caption if trusted else st.warning)(told)


@st.fragment
def show_many(observation: Observation) -> None:
    """Show the identity as a mean over many images, once it is asked for."""
    run, pictures = observation.run, observation.pictures
    count = min(MANY, len(pictures.images))
    found = known_balance(run, pictures)
    with st.container(border=True):
        st.markdown(f"**{text('elbo.many')}**")
        if found is None:
            st.caption(text("elbo.many.lead", count=count))
            place = st.empty()
            with place.container():
                asked = st.button(text("elbo.many.compute", count=count), key="elbo_many")
            if not asked:
                return
            with place.container():
                # Any press reruns the fragment, which ends the computation at its next report.
                st.button(text("elbo.many.stop"), key="elbo_many_stop")
                bar = st.progress(0.0)

                def tell(share: float) -> None:
                    done = round(share * count)
                    bar.progress(share, text("elbo.many.progress", done=done, count=count))

                found = compute_balance(run, pictures, tell)
            place.empty()
        show_mean(observation, found)


def show_mean(observation: Observation, found: Balance) -> None:
    """Show the mean bars with medians, and how the gap is spread over the images."""
    count = len(found.log_px)
    draw_bars(found, "elbo_many_bars")
    latents = observation.run.model.latent_dim
    told = text("elbo.many.mean", count=count, **found.medians())
    kind = "certified" if latents <= 2 else "unflagged"
    trusted = text(f"elbo.many.{kind}", certified=int(found.trusted.sum()), count=count)
    drawn = text("elbo.many.sample") if observation.pictures.source == "sample" else ""
    st.caption(paragraph(told, trusted, tell_bits(observation, float(found.log_px.mean())), drawn))
    here = float(found.gap[observation.index]) if observation.index < count else None
    figure = gap_histogram(found.gap, here, role_colours(), sentences("elbo.figure."))
    show_chart(figure, "elbo_many_histogram")
    marked = "" if here is None else text("elbo.many.here")
    st.caption(paragraph(text("elbo.many.histogram"), marked))


def tell_bits(observation: Observation, log_px: float) -> str:
    """Return what log p(x) comes to in bits per dimension, nothing for binary pixels."""
    bits = bits_of_values(observation.run.model, np.array(log_px))
    return "" if bits is None else text("elbo.bits", bits=float(bits))


def draw_bars(found: Balance, key: str) -> None:
    """Show the means of a balance as the two aligned bars."""
    balance_bars(
        float(found.reconstruction.mean()),
        float(found.kl.mean()),
        float(found.log_px.mean()),
        sentences("elbo.lens."),
        key,
    )
