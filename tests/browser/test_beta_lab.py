"""The β lab: one picture under the hand, from the shelf and in training; its models open.

What is said beside it is read without a browser too, in tests/app/test_beta.py.
"""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.app.views.beta.members import point_at
from explorer.jobs.sweep import sweep_configs
from explorer.runs.control import Control
from explorer.runs.sweeps import list_sweeps, open_sweep, prepare_sweep
from explorer.runs.writer import RunWriter
from explorer.training.family import family_configs, train_family
from explorer.training.loop import train
from tests.small_run import make_config
from tests.waiting import wait_for_script, wait_until

pytestmark = pytest.mark.browser

PIXELS = "canvas => canvas.toDataURL()"
WHERE = """(root, name) => {
  const lab = root.lab;
  const box = lab.plane.getBoundingClientRect();
  const own = lab.members.find((member) => member.name === name).final;
  const { right, low, high } = lab.bounds;
  const part = (own.reconstruction - low) / (high - low);
  return [box.left + 12 + ((box.width - 22) * own.kl) / right,
          box.top + 20 + (box.height - 54) * (1 - part)];
}"""
"""Where a model's point lies on the screen, by the plane's margins."""


def settle(page):
    page.get_by_test_id("stStatusWidget").wait_for(state="detached", timeout=60_000)


@pytest.fixture
def shipped(tour):
    """The page of the shipped sweep, with the hand on β = 1 at the end of the trainings."""
    page = tour.stay("beta?sweep=mnist-beta-sweep")
    page.get_by_text("What stays awake").wait_for(timeout=60_000)
    settle(page)
    page.locator(".lab").evaluate(
        "root => { root.lab.film.go(root.lab.film.last); root.lab.sweep.go(2); }"
    )
    expect(page.locator(".lab .head output")).to_have_text("β = 1")
    expect(page.locator(".lab .film output")).to_have_text("trained to the end")
    return page


def figures_of(name):
    return point_at(open_sweep("mnist-beta-sweep").member(name), 0, final=True)


def shows(page, name):
    """Wait until the figures beside the map are those of a model."""
    found = figures_of(name)
    told = f"reconstruction {found['reconstruction']:.2f} + KL {found['kl']:.2f}"
    expect(page.locator(".lab .sum")).to_contain_text(told)


def test_the_shipped_sweep_is_there_at_first_sight(tour):
    page = tour.go("beta?sweep=mnist-beta-sweep")
    page.get_by_text("the same start: what differs is β").wait_for()
    shows(page, "beta-1")
    # Its models are Bernoulli's.
    page.get_by_text("so no theory is drawn").wait_for()


def test_beta_under_the_hand_moves_plane_map_and_pictures_and_tells_figures_at_models(shipped):
    lab = shipped.locator(".lab")
    slider = shipped.get_by_role("slider", name="β", exact=True)
    canvases = [lab.locator(where) for where in (".plane canvas", ".map canvas")]
    canvases.append(lab.locator(".strip canvas").nth(1))
    before = [canvas.evaluate(PIXELS) for canvas in canvases]
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] * 2 / 11, box["y"] + box["height"] / 2
    shipped.mouse.move(x, y)
    shipped.mouse.down()
    shipped.mouse.move(x + 2.4 * box["width"] / 11, y, steps=8)
    # Under the hand, between two models: everything has moved, and no figure stands there.
    expect(lab.locator(".head output")).to_have_text(
        "between β = 4 and β = 8: a transition, no model"
    )
    expect(lab.locator(".sum")).to_have_text("−ELBO … = reconstruction … + KL …")
    during = [canvas.evaluate(PIXELS) for canvas in canvases]
    assert all(one != other for one, other in zip(before, during, strict=True))
    shipped.mouse.up()
    expect(lab.locator(".head output")).to_have_text("β = 4")
    shows(shipped, "beta-4")
    shipped.wait_for_url(re.compile("model=beta-4"))


def test_codes_between_two_models_lie_halfway_between_theirs(shipped):
    """By the frames on disk: the latents of this sweep stand in one order, as far as they live."""
    sent = shipped.locator(".lab").evaluate(
        """root => Object.fromEntries(root.lab.members.map(
          (member) => [member.name, [...member.frames.at(-1).codes]]))"""
    )
    one, other = (np.array(sent[f"beta-{beta}"]).reshape(-1, 2) for beta in (1, 2))
    run = open_sweep("mnist-beta-sweep").member("beta-1")
    assert one == pytest.approx(run.snapshot(12000).mean, abs=6e-4), "the reference as it is"
    for axis in (0, 1):
        assert np.corrcoef(one[:, axis], other[:, axis])[0, 1] > 0.5, "matched, sign and all"


def test_the_film_goes_back_to_the_start_where_all_models_are_the_same_one(shipped):
    slider = shipped.get_by_role("slider", name="Film of the trainings")
    slider.press("Home")
    expect(shipped.locator(".lab .film output")).to_have_text("step 0")
    codes = shipped.locator(".lab").evaluate(
        "root => root.lab.members.map((member) => [...member.frames[0].codes.slice(0, 8)])"
    )
    first = np.sort(np.abs(np.array(codes)).reshape(len(codes), 4, 2), axis=2)
    assert first == pytest.approx(np.broadcast_to(first[0], first.shape)), "in order and sign alone"
    shipped.wait_for_url(re.compile("step=0"))
    shipped.locator(".lab").evaluate(
        "({ lab: { film } }) => { film.at = film.last - 0.7; film.draw(); }"
    )
    expect(shipped.locator(".lab .film output")).not_to_have_text("trained to the end")
    shipped.get_by_role("button", name="Film", exact=True).click()
    expect(shipped.locator(".lab .film output")).to_have_text("trained to the end")


@pytest.mark.parametrize("start", [pytest.param(2, marks=pytest.mark.slow), 10.7])
def test_the_sweep_plays_to_its_last_model(shipped, start):
    shipped.locator(".lab").evaluate("(root, start) => { root.lab.sweep.at = start; }", start)
    shipped.get_by_role("button", name="Sweep").click()
    expect(shipped.locator(".lab .head output")).to_have_text("β = 40")
    shows(shipped, "beta-40")


def test_a_point_opens_its_model(shipped):
    page = shipped
    told = page.locator(".lab .head output")
    for beta in (2, 16):
        page.mouse.click(*page.locator(".lab").evaluate(WHERE, f"beta-{beta}"))
        expect(told).to_have_text(f"β = {beta}")
        page.wait_for_url(re.compile(f"model=beta-{beta}$"))
        wait_for_script(page)
    shows(page, "beta-16")
    page.go_back()
    expect(told).to_have_text("β = 2")
    page.go_forward()
    expect(told).to_have_text("β = 16")
    page.get_by_role("button", name="Open in Explore").click()
    page.wait_for_url(re.compile("model=mnist-beta-sweep(%2F|/)beta-16"))


@pytest.mark.slow
def test_a_family_trains_to_its_end(page, server):
    known = {sweep.id for sweep in list_sweeps(server.runs)}
    page.goto(f"{server.url}/beta")
    page.get_by_role("button", name="Train a family").click()
    seconds = page.get_by_role("spinbutton", name="Time budget, seconds")
    seconds.fill("2")
    seconds.press("Enter")
    settle(page)
    # Whoever presses twice has one family.
    page.get_by_role("button", name="Start", exact=True).dblclick()
    sweep = wait_until(
        lambda: [found for found in list_sweeps(server.runs) if found.id not in known]
    )[0]
    page.wait_for_url(f"**sweep={sweep.id}*")
    # Two seconds may be over before a busy page looks: the family waits for it.
    Control(sweep.path).send("pause")
    page.get_by_text("4 models at once").first.wait_for(timeout=60_000)
    # The training steps back for whoever looks at it, and each look takes longer than its steps:
    # on two cores a page that stays makes a minute of two seconds.
    page.goto("about:blank")
    Control(sweep.path).send("resume")
    wait_until(lambda: all(member.part > 0.75 for member in sweep.progress()))
    page.goto(f"{server.url}/beta?sweep={sweep.id}")
    page.get_by_text("nats per image (test)").wait_for(timeout=60_000)
    expect(page.locator(".lab .scale button")).to_have_count(4)
    kl = {name: run.info.results["test"]["kl"] for name, run in sweep.runs().items()}
    assert kl["beta-0.25"] > kl["beta-1"] > kl["beta-4"] > kl["beta-16"]
    assert {found.id for found in list_sweeps(server.runs)} - known == {sweep.id}


def test_a_sweep_is_followed_member_by_member(tour, server):
    configs = sweep_configs(make_config(40), betas=(0.5, 2.0, 8.0))
    sweep = prepare_sweep(server.runs / "followed", "sweep", configs)
    train(configs["beta-0.5"], sweep.path / "beta-0.5")
    path = sweep.path / "beta-2"
    running = RunWriter(path, config=configs["beta-2"], model_kind="config", planned_steps=40)
    running.set_state("running", step=10)
    page = tour.go("beta?sweep=followed")
    page.get_by_text("3 models, each by itself · 1 done · 1 training · 1 waiting").wait_for()
    page.get_by_text("training · step 10 of 40").wait_for()
    expect(page.locator(".lab .head output")).to_have_text("β = 0.5")
    running.set_state("running", step=20)
    page.get_by_text("training · step 20 of 40").wait_for()
    train(configs["beta-8"], sweep.path / "beta-8")
    running.set_state("failed", "The disk is full.")
    page.get_by_text("3 models, each by itself · 2 done · 1 failed").wait_for()
    page.get_by_text("The disk is full.").wait_for()
    expect(page.locator(".lab .scale button")).to_have_count(2)
    page.get_by_text("Nobody trains these models now").wait_for()


def choose(page, name):
    """Open another sweep from the page's menu."""
    page.locator(".st-key-beta_bar [data-testid=stSelectbox]").click()
    page.get_by_role("option", name=name, exact=True).click()
    page.wait_for_url(f"**sweep={name}*")


@pytest.fixture(scope="module")
def trained(server):
    """A sweep of models that have hardly begun, of sizes and seeds."""
    configs = sweep_configs(make_config(5), latent_dims=(1, 3), seeds=(0, 1))
    sweep = prepare_sweep(server.runs / "sizes", "sweep", configs)
    for name, config in configs.items():
        train(config, sweep.path / name)


def test_the_number_of_latents_and_the_seed_are_under_the_hand_where_a_sweep_has_them(
    trained, tour
):
    page = tour.stay("beta?sweep=sizes")
    told = page.locator(".lab .head output")
    expect(told).to_have_text("latents: 3 · seed 0", timeout=60_000)
    page.get_by_role("slider", name="the number of latents").press("Home")
    expect(told).to_have_text("latents: 1 · seed 0")
    # A model with one latent lies on a line of the plane of the others.
    codes = page.locator(".lab").evaluate("root => [...root.lab.here.frames.at(-1).codes]")
    assert np.abs(np.array(codes).reshape(-1, 2)).max(0).min() == 0
    page.get_by_role("combobox", name="The hand moves").select_option("the seed")
    page.get_by_role("slider", name="the seed").press("End")
    expect(told).to_have_text("latents: 1 · seed 1")
    page.get_by_role("combobox", name="the number of latents").select_option("latents: 3")
    expect(told).to_have_text("latents: 3 · seed 1")


@pytest.mark.slow
def test_gaussian_models_have_the_linear_theory_beside_them(trained, tour, server):
    config = make_config(20, hidden=(8,), likelihood="gaussian")
    train_family(family_configs(config, (0.5, 2.0, 8.0)), server.runs / "theory")
    page = tour.go("beta?sweep=sizes")
    choose(page, "theory")
    page.get_by_text("the closed form of the best linear model").wait_for(timeout=60_000)
    assert page.locator(".lab").evaluate("root => root.lab.data.theory.rates.length") > 50


@pytest.mark.slow
def test_the_page_says_in_what_the_models_differ(tour, server):
    configs = sweep_configs(make_config(), betas=(1.0, 2.0), seeds=(0, 1))
    prepare_sweep(server.runs / "seeds", "sweep", configs)
    page = tour.go("beta?sweep=seeds")
    page.get_by_text("What differs: β (the price of a nat of KL), the seed.").wait_for()
