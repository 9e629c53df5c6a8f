"""Chapters beforehand: every stop shows what the library computes, and one of them is right."""

import json
import re
import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.analysis.teaching.toy import bent_toy
from explorer.export.learn.chapter import Chapter
from explorer.export.learn.signs import count_slips
from explorer.export.site.learn import CHAPTERS, chapter_picture, pack_stops
from explorer.library import Library


@pytest.fixture(scope="module", params=list(CHAPTERS))
def chapter(request) -> Chapter:
    return CHAPTERS[request.param]()


def shown_at(chapter, **values):
    return chapter.show("en", stop_of(chapter, values))


def shown_at_start(chapter):
    return "".join(chapter.show("en", chapter.start).values())


def check(chapter, stops):
    """Every place is filled at these stops, and some of them answers the question."""
    places = {line[1:] for line in chapter.lines("en") if line.startswith("#")}
    found = [chapter.show("en", stop) for stop in stops]
    asked = {*places, *chapter.figures, *chapter.below, "answer"}
    assert all(set(shown) == asked for shown in found)
    assert any('class="right"' in shown["answer"] for shown in found)
    assert 'class="open"' in chapter.show("en", chapter.start)["answer"]


RIGHT = {
    "latents": {"shown": "sample", "shared": "28 × 28", "draw": "0"},
    "mixture": {"codes": "spread", "gaussians": "12", "draw": "0"},
    "kl": {"q_mean": "0", "q_sd": "0.4"},
    "sigma": {"trade_sigma2": "0.0125", "trade_beta": "4"},
    "reparameterise": {"draw_mean": "1", "draw_sd": "0.5", "draws": "32"},
    "collapse": {"sweep_beta": "28"},
    "notation": {"note": "001"},
}


def stop_of(chapter, values):
    return tuple(list(c.options).index(values[c.key]) for c in chapter.controls)


def test_places_are_filled_at_the_ends_and_where_the_question_is_answered(chapter):
    stops = list(chapter.stops())
    check(chapter, [stops[0], stops[-1], stop_of(chapter, RIGHT[chapter.name])])


@pytest.mark.slow
def test_places_are_filled_at_every_stop(chapter):
    check(chapter, chapter.stops())


def test_what_a_page_loads_has_each_piece_once_and_a_stop_for_every_setting():
    chapter = CHAPTERS["collapse"]()
    held = json.loads(pack_stops(chapter, "en"))
    assert len(held["stops"]) == len(chapter.controls[0].options)
    assert len(set(held["pieces"])) == len(held["pieces"])
    last = {name: held["pieces"][piece] for name, piece in held["stops"][-1].items()}
    assert last == chapter.show("en", (len(held["stops"]) - 1,))


def test_a_picture_for_the_start_page_is_one_file(chapter):
    drawn = chapter_picture(chapter)
    if drawn is None:
        assert not any(part in shown_at_start(chapter) for part in ("<svg", "<img"))
        return
    assert drawn.startswith(b'<svg xmlns="http://www.w3.org/2000/svg"') and b"--role-kl" in drawn


@pytest.mark.parametrize(("mean", "sd"), [("0", "0.4"), ("1", "0.5"), ("-1.5", "2")])
def test_kl_is_that_of_torch(mean, sd):
    q = torch.distributions.Normal(float(mean), float(sd))
    p = torch.distributions.Normal(0.0, 1.0)
    shown = shown_at(CHAPTERS["kl"](), q_mean=mean, q_sd=sd)["figure"]
    forward, backward = re.findall(r"KL\(\w‖\w\) = ([\d.]+) nats</text>", shown)
    kl = torch.distributions.kl_divergence
    assert (forward, backward) == (f"{kl(q, p).item():.2f}", f"{kl(p, q).item():.2f}")


def test_the_same_product_of_beta_and_variance_shows_the_same_digits():
    chapter = CHAPTERS["sigma"]()
    one, other = (
        shown_at(chapter, trade_sigma2=sigma2, trade_beta=beta)
        for sigma2, beta in (("0.05", "1"), ("0.0125", "4"))
    )
    assert one["digits"] == other["digits"] and 'class="right"' in other["answer"]
    assert shown_at(chapter, trade_sigma2="0.05", trade_beta="4")["digits"] != one["digits"]


def test_collapse_shows_each_model_with_what_was_measured_of_it():
    chapter, sweep = CHAPTERS["collapse"](), Library().sweeps()["mnist-beta-sweep"]
    for run in sweep.runs().values():
        measured = run.info.results["test"]
        shown = shown_at(chapter, sweep_beta=f"{run.info.beta:g}")
        assert f"{measured['reconstruction']:.2f}" in shown["figure"]
        lives = sum(kl > DEAD_NATS for kl in measured["kl_per_dim"]) == 1
        assert ('class="right"' in shown["answer"]) == lives


def test_the_appendix_writes_the_chosen_notes_identity_and_marks_its_row():
    shown = shown_at(CHAPTERS["notation"](), note="001")
    text = "".join(ElementTree.fromstring(shown["identity"]).itertext())
    assert "log[q(x)]=ELBO" in text and "q(x/z)" in text
    assert re.findall(r'class=chosen><th scope="row">(\w+)', shown["symbols"]) == ["001"]
    assert shown["slips"].count("<tr>") == 1 + count_slips()


def test_a_mixture_of_few_gaussians_misplaces_what_an_integral_says():
    shown = shown_at(CHAPTERS["mixture"](), codes="spread", gaussians="1", draw="0")["figure"]
    toy, x = bent_toy(), np.linspace(-8, 8, 4001)
    one = torch.distributions.Normal(toy.mean(np.zeros(1))[0], toy.sd(np.zeros(1))[0])
    away = np.abs(one.log_prob(torch.as_tensor(x)).exp().numpy() - toy.density(x))
    share = float(re.findall(r"<strong>([\d.]+)\s%", shown)[0])
    assert share == pytest.approx(50 * np.trapezoid(away, x), abs=0.02)


def test_drawing_again_moves_drawn_codes_alone():
    chapter = CHAPTERS["mixture"]()
    first, again = (shown_at(chapter, codes="drawn", gaussians="8", draw=d) for d in ("0", "7"))
    assert first["figure"] != again["figure"]
    first, again = (shown_at(chapter, codes="spread", gaussians="8", draw=d) for d in ("0", "7"))
    assert first == again


def test_samples_are_black_and_white_and_another_draw_is_another_picture():
    chapter = CHAPTERS["latents"]()
    sheets = []
    for shown, draw in (("sample", "0"), ("sample", "1"), ("mean", "0")):
        values = {"shown": shown, "shared": "28 × 28", "draw": draw}
        source = re.findall(r"base64,([^\"]+)", shown_at(chapter, **values)["pictures"])[-1]
        sheets.append(np.asarray(Image.open(BytesIO(b64decode(source))).convert("L")))
    digits = [sheet[:28, :28] for sheet in sheets]
    assert set(np.unique(digits[0])) == {0, 255} and len(np.unique(digits[2])) > 20
    assert (digits[0] != digits[1]).any()


def test_the_gradient_is_that_of_torch():
    mean = torch.tensor(3.0, requires_grad=True)
    # E_q[log N(2; z, ¼)] = −½ ln(2π/4) − ((2 − μ)² + σ²) / (2·¼)
    (-((2 - mean) ** 2 + 0.25) / 0.5).backward()
    shown = shown_at(CHAPTERS["reparameterise"](), draw_mean="3", draw_sd="0.5", draws="4")
    told = re.findall(r"<strong>([^<]+)</strong>", shown["histograms"])
    assert mean.grad is not None
    assert float(told[0].replace("−", "-")) == pytest.approx(mean.grad.item(), abs=0.005)
