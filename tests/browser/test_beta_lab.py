"""The β lab: the shipped sweep at first sight, a point that opens its model, a family trained."""

import contextlib
import re

import pytest

from explorer.jobs.sweep import sweep_configs
from explorer.runs.control import Control
from explorer.runs.sweeps import list_sweeps, open_sweep, prepare_sweep
from explorer.runs.writer import RunWriter
from explorer.training.family import family_configs, train_family
from explorer.training.loop import train
from tests.small_run import make_config
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

WHERE = """() => {
  const plot = [...document.querySelectorAll('.js-plotly-plot')].find(
    p => p._fullLayout?.xaxis.title.text?.startsWith('rate'));
  if (!plot) return [];
  const {xaxis: x, yaxis: y} = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  const points = plot._fullData.at(-1);
  return Array.from(points.x, (v, i) => [box.left + x._offset + x.d2p(v),
                                 box.top + y._offset + y.d2p(points.y[i])]);
}"""


def settle(page):
    page.get_by_test_id("stStatusWidget").wait_for(state="detached", timeout=60_000)


@pytest.fixture
def shipped(page, server):
    """The page of the shipped sweep."""
    page.goto(f"{server.url}/beta?sweep=mnist-beta-sweep")
    page.get_by_text("What stays awake").wait_for(timeout=60_000)
    return page


def test_the_shipped_sweep_is_there_at_first_sight_and_a_point_opens_its_model(shipped):
    shipped.get_by_text("the same start: what differs is β").wait_for()
    shipped.get_by_text("β = 34 · KL 0.00").wait_for()
    settle(shipped)
    shipped.locator(".js-plotly-plot").nth(3).wait_for()
    # Its models are Bernoulli's.
    shipped.get_by_text("so no theory is drawn").wait_for()
    shipped.get_by_text("Each point is a model").scroll_into_view_if_needed()
    shipped.wait_for_function(f"() => ({WHERE})().length > 5")
    assert not shipped.evaluate(THEORY)
    x, y = shipped.evaluate(WHERE)[5]  # β = 8
    shipped.mouse.click(x, y)
    found = open_sweep("mnist-beta-sweep").member("beta-8").info.results["test"]
    shipped.get_by_text(f"β = 8: −ELBO {-found['elbo']:.2f}").wait_for()
    shipped.get_by_role("button", name="Open in Explore").click()
    shipped.wait_for_url(re.compile("model=mnist-beta-sweep(%2F|/)beta-8"))


def test_the_step_slider_goes_back_to_the_start(shipped):
    settle(shipped)
    slider = shipped.get_by_role("slider", name="Step")
    # At step 0 all models are the same one. A page that redraws may swallow a key, and the thumb
    # then already stands where Home would bring it.
    for _ in range(10):
        slider.press("ArrowRight")
        slider.press("Home")
        with contextlib.suppress(AssertionError):
            wait_until(lambda: are_all_the_same(shipped), 6.0)
            return
    raise AssertionError("The models never became the same one.")


def are_all_the_same(page):
    """Tell by the KL in the titles of the maps; a title stands twice while it is replaced."""
    titles = [
        page.get_by_text(f"β = {beta} · KL").all_text_contents() for beta in ("0.1", "8", "40")
    ]
    return all(titles) and len({title.rpartition("KL ")[2] for two in titles for title in two}) == 1


def test_a_family_trains_to_its_end(page, server):
    known = {sweep.id for sweep in list_sweeps(server.runs)}
    page.goto(f"{server.url}/beta")
    page.get_by_role("button", name="Train a family").click()
    seconds = page.get_by_label("Time budget, seconds")
    seconds.fill("2")
    seconds.press("Enter")
    settle(page)
    # Whoever presses twice has one family.
    page.get_by_role("button", name="Start", exact=True).dblclick()
    sweep = wait_until(
        lambda: next((found for found in list_sweeps(server.runs) if found.id not in known), None)
    )
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
    page.get_by_text("β = 16 · KL").first.wait_for()
    kl = {name: run.info.results["test"]["kl"] for name, run in sweep.runs().items()}
    assert kl["beta-0.25"] > kl["beta-1"] > kl["beta-4"] > kl["beta-16"]
    assert {found.id for found in list_sweeps(server.runs)} - known == {sweep.id}


def test_a_sweep_is_followed_member_by_member(page, server):
    configs = sweep_configs(make_config(40), betas=(0.5, 2.0, 8.0))
    sweep = prepare_sweep(server.runs / "followed", "sweep", configs)
    train(configs["beta-0.5"], sweep.path / "beta-0.5")
    path = sweep.path / "beta-2"
    running = RunWriter(path, config=configs["beta-2"], model_kind="config", planned_steps=40)
    running.set_state("running", step=10)
    page.goto(f"{server.url}/beta?sweep=followed")
    page.get_by_text("3 models, each by itself · 1 done · 1 training · 1 waiting").wait_for()
    page.get_by_text("training · step 10 of 40").wait_for()
    page.get_by_text("β = 0.5 · KL").wait_for()
    running.set_state("running", step=20)
    page.get_by_text("training · step 20 of 40").wait_for()
    train(configs["beta-8"], sweep.path / "beta-8")
    running.set_state("failed", "The disk is full.")
    page.get_by_text("3 models, each by itself · 2 done · 1 failed").wait_for()
    page.get_by_text("The disk is full.").wait_for()
    page.get_by_text("β = 8 · KL").wait_for()
    page.get_by_text("Nobody trains these models now").wait_for()


def test_the_page_says_in_what_the_models_differ(page, server):
    configs = sweep_configs(make_config(), betas=(1.0, 2.0), seeds=(0, 1))
    prepare_sweep(server.runs / "seeds", "sweep", configs)
    page.goto(f"{server.url}/beta?sweep=seeds")
    page.get_by_text("What differs: β (the price of a nat of KL), the seed.").wait_for()


def test_gaussian_models_have_the_linear_theory_beside_them(page, server):
    config = make_config(60, hidden=(32,), likelihood="gaussian")
    train_family(family_configs(config, (0.5, 2.0, 8.0)), server.runs / "theory")
    page.goto(f"{server.url}/beta?sweep=theory")
    page.get_by_text("the closed form of the best linear model").wait_for(timeout=60_000)
    page.wait_for_function(THEORY)


THEORY = """() => [...document.querySelectorAll('.js-plotly-plot')].some(
  plot => plot._fullData.some(trace => trace.name === 'theory, linear model'))"""
