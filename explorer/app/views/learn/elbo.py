"""Chapter 3: the ELBO three ways, with numbers in every line."""

import math

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.inference.microscope import Examination
from explorer.analysis.representation.latents import decode_codes
from explorer.analysis.teaching.toy import (
    PRIOR,
    LinearEncoder,
    LinearToy,
    ThreeWays,
    measure_three_ways,
)
from explorer.app.cached import get_pictures, get_run_with_model
from explorer.app.cached.learn import get_examination
from explorer.app.observation import Observation, find_telling
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.mount import balance_bars
from explorer.app.parts.sliders import live_choice, live_slider
from explorer.app.session import library
from explorer.app.text import explain, sentences, text
from explorer.app.views.learn.parts import (
    choose_segment,
    frame_sliders,
    open_page,
    say,
    show_formula,
    show_heading,
    show_question,
)
from explorer.errors import ExplorerError
from explorer.export.learn.words import show_number
from explorer.figures.learn import posterior_picture
from explorer.figures.pictures import data_uri, encode_png, picture_sheet

MODEL = "mnist-2d"
PICTURES = 12
X = 1.5
TOY = LinearToy()
ASKED_NATS = 0.01
PLACE_NATS = 0.1
"""With a gap above this a mean that is off by half an sd is the first thing to say."""
Z = np.linspace(-3.5, 3.5, 281)
JENSEN = (
    r"\log p(x) = \log E_{@latent{q}}\Bigl[\tfrac{p(x,@latent{z})}{@latent{q(z|x)}}\Bigr] \ge "
    r"E_{@latent{q}}\Bigl[\log\tfrac{p(x,@latent{z})}{@latent{q(z|x)}}\Bigr] = \mathrm{ELBO}"
)
TERMS = (
    r"\mathrm{ELBO} = @reconstruction{E_q[\log p(x|z)]} - "
    r"@kl{\mathrm{KL}(q(z|x)\|p(z))}"
)
EXACT = r"\log p(x) = \mathrm{ELBO} + @gap{\mathrm{KL}(q(z|x)\|p(z|x))}"
JOINT = (
    r"\mathrm{KL}\bigl(\tilde p(x)\,q(z|x)\|p(x,z)\bigr) = -H(\tilde p) + "
    r"E_{\tilde p}[-\mathrm{ELBO}]"
)


@st.fragment
def show_chapter() -> None:
    """Lay out the chapter: the lines with their numbers left, q and the two bars right."""
    left, right = open_page()
    with right:
        on = choose_segment(
            text("learn.elbo.on"),
            ("toy", "real"),
            key="on",
            name=lambda name: text(f"learn.elbo.on.{name}"),
        )
    if on == "real":
        try:
            observation = _choose_picture(right)
        except ExplorerError as error:
            st.info(explain(error))
            return
        _show_real(left, right, observation)
    else:
        _show_toy(left, right)


def _show_toy(left: DeltaGenerator, right: DeltaGenerator) -> None:
    with right:
        with frame_sliders():
            first, second = st.columns(2)
        with first:
            mean = live_slider(text("learn.elbo.mean"), -1, 3, 0.3, 0.02, key="mean", role="mean")
        with second:
            sd = live_slider(text("learn.elbo.sd"), 0.1, 1.5, 0.9, 0.01, key="sd", role="sigma")
        # One slope serves every x: the encoder is linear, and at X it gives this mean.
        encoder = LinearEncoder(mean / X, sd)
        ways = measure_three_ways(TOY, encoder, X)
        figure = posterior_picture(
            Z,
            PRIOR.density(Z),
            encoder.posterior(X).density(Z),
            TOY.posterior(X).density(Z),
            role_colours(),
        )
        show_chart(figure, "learn_elbo_posterior")
        _show_bars(ways, "learn_elbo_bars_toy")
        st.caption(text("learn.elbo.caption.toy"))
    with left:
        show_heading("elbo")
        say("learn.elbo.prose.toy")
        _show_lines(ways.log_px, ways.elbo, ways.reconstruction, ways.kl, ways.gap)
        say("learn.elbo.line.joint")
        _show_line(
            JOINT,
            f"{show_number(ways.joint_kl)} = {show_number(-ways.entropy)} + "
            f"{show_number(ways.loss)}",
        )
        st.caption(text("learn.elbo.agree.toy", residual=_tiny(ways.residual)))
    show_question("elbo", *_judge(ways, mean, sd))


def _choose_picture(right: DeltaGenerator) -> Observation:
    """Return the picture that the slider asks for; those worth a look come first."""
    run = get_run_with_model(library().shipped.open(MODEL))
    pictures = get_pictures(run)
    assert pictures is not None  # A model of handwriting has drawings to show at least.
    places = list(dict.fromkeys([*find_telling(run.id, pictures), *range(PICTURES)]))[:PICTURES]
    with right:
        names = [f"{place + 1} / {len(places)}" for place in range(len(places))]
        with frame_sliders():
            chosen = live_choice(text("learn.elbo.picture"), names, 0, key="picture")
    return Observation(run, pictures, places[chosen])


def _show_real(
    left: DeltaGenerator,
    right: DeltaGenerator,
    observation: Observation,
) -> None:
    with right:
        with st.spinner(text("learn.elbo.loading")):
            found = get_examination(observation)
        _show_pictures(observation, found)
        _show_bars(found, "learn_elbo_bars_real")
        st.caption(text("learn.elbo.caption.real"))
    with left:
        show_heading("elbo")
        state = "certified" if found.certified else "uncertified"
        error = text(f"learn.elbo.{state}", error=f"{found.error:.4f}")
        say("learn.elbo.prose.real", model=observation.run.id, error=error)
        _show_lines(found.log_px, found.elbo, found.reconstruction, found.kl, found.gap)
        say("learn.elbo.line.joint.real")
        _show_line(JOINT, rf"{{?}} = {{?}} + E[\,{show_number(-found.elbo)}, \dots]")
        st.caption(text("learn.elbo.agree.real", residual=_tiny(found.residual)))
    show_question("elbo", False, text("learn.elbo.remark.real", gap=show_number(found.gap)))


def _show_lines(log_px: float, elbo: float, reconstruction: float, kl: float, gap: float) -> None:
    """Show the lines that speak of one x, each with its numbers under it."""
    px, bound = show_number(log_px), show_number(elbo)
    say("learn.elbo.line.jensen")
    _show_line(JENSEN, rf"{px} \ge {bound}")
    _show_line(
        TERMS,
        f"{bound} = @reconstruction{{{show_number(-reconstruction)}}} - @kl{{{show_number(kl)}}}",
    )
    say("learn.elbo.line.exact")
    _show_line(EXACT, f"{px} = {bound} + @gap{{{show_number(gap)}}}")


def _show_line(formula: str, numbers: str) -> None:
    show_formula(rf"\begin{{gathered}}{formula} \\ {numbers}\end{{gathered}}")


def _show_bars(found: ThreeWays | Examination, key: str) -> None:
    balance_bars(found.reconstruction, found.kl, found.log_px, sentences("elbo.lens."), key)


def _show_pictures(observation: Observation, found: Examination) -> None:
    x = (observation.target()[0].numpy() * 255).astype(np.uint8)
    decoded = (decode_codes(observation.run.model, found.mean[None])[0] * 255).astype(np.uint8)
    figures = ""
    for name, image in (("learn.elbo.x", x), ("learn.elbo.decoded", decoded)):
        source = data_uri(encode_png(picture_sheet(image[None], 1)))
        caption = f"<figcaption>{text(name)}</figcaption>"
        figures += f'<figure><img alt="{text(name)}" src="{source}">{caption}</figure>'
    st.html(f'<div class="explorer-pair">{figures}</div>')


def _judge(ways: ThreeWays, mean: float, sd: float) -> tuple[bool, str]:
    """Return whether q is the posterior, and why or why not."""
    if ways.gap < ASKED_NATS:
        values = {"joint": show_number(ways.joint_kl, 3), "entropy": show_number(ways.entropy)}
        return True, text("learn.elbo.answer", **values)
    exact = TOY.posterior(X)
    width = math.sqrt(float(exact.covariance[0, 0]))
    place = float(exact.mean[0])
    if abs(mean - place) > PLACE_NATS * width or abs(sd / width - 1) < PLACE_NATS:
        remark = "left" if mean < place else "far"
    else:
        remark = "wide" if sd > width else "narrow"
    return False, text(f"learn.elbo.remark.{remark}", gap=show_number(ways.gap, 3))


def _tiny(value: float) -> str:
    """Return a residual in powers of ten, `3·10⁻¹⁶`."""
    if not value:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    digits = str(exponent).replace("-", "−")
    raised = digits.translate(str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{abs(value) / 10**exponent:.0f}·10{raised}"
