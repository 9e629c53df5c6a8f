"""The Train page: seconds on digits, watched to the end, steered on the way, by one tab and two."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.analysis.collapse.timeline import DEAD_NATS
from explorer.app.parts.names import name_training
from explorer.datasets import load_dataset
from explorer.elbo.evaluation import evaluate_elbo
from explorer.runs.control import Control
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.runs.writer import RunWriter
from explorer.training.loop import train
from tests.browser.explore_page import ensure_run
from tests.browser.hindrances import busy_machine, halting, halting_server
from tests.helpers import present
from tests.small_run import make_config
from tests.waiting import POLL_MILLISECONDS, wait_for_script, wait_until

pytestmark = pytest.mark.browser


def alive_runs(server):
    return [run for run in RunStore(server.runs).list() if run.info.status.is_alive()]


def clear_queue(server):
    """Stop what another test left there: a new job would wait behind it."""
    for run in alive_runs(server):
        Control(run.path).send("stop")
    wait_until(lambda: not alive_runs(server))


@pytest.fixture(scope="module", autouse=True)
def nothing_left_behind(server):
    yield
    clear_queue(server)


def press_until(page, name, condition):
    """Press a button until it took effect: a tick of the page can swallow a click."""
    for _ in range(5):
        page.get_by_role("button", name=name, exact=True).click()
        try:
            return wait_until(condition, 5.0)
        except AssertionError:
            continue
    raise AssertionError(f"{name} had no effect")


def wait_for_frame(page):
    """Wait until the stage has a frame: before its first one it is an outline."""
    # As a run ends, the last tick's page stands there too for a while.
    page.locator(".stage output", has_text=re.compile("^step ")).first.wait_for()


def wait_for_step(page, step):
    """Wait until the film stands still at the frame of a step."""
    page.wait_for_function(STANDS_AT, arg=step, polling=POLL_MILLISECONDS)


def set_budget(page, seconds):
    """Set the time budget by hand, among the settings."""
    page.get_by_role("button", name="Settings").click()
    budget = page.get_by_role("spinbutton", name="Time budget, seconds")
    budget.fill(str(seconds))
    budget.press("Enter")
    page.get_by_text(f"· {seconds} s").wait_for()
    page.keyboard.press("Escape")


def start_training(page, server):
    """Press Start and return the new run, once the page shows its first frame."""
    clear_queue(server)
    before = {run.id for run in RunStore(server.runs).list()}
    page.get_by_role("button", name="Start", exact=True).click()

    def made():
        return [run for run in RunStore(server.runs).list() if run.id not in before]

    (new,) = wait_until(made)
    wait_until(lambda: new.metrics("train"))
    page.wait_for_url(f"**run={new.id}*")
    wait_for_frame(page)
    assert new.name.startswith(name_training(present(new.info.config))), "in no language"
    return new


@pytest.fixture
def job(tour, server):
    """A training that runs, not paused, at β = 1, and a page that watches it.

    Whichever test finds none starts one; the next ones take it as it is left. Between them it is
    paused, and it trains for two fifths of the time: pages tick no faster for more steps.
    """
    alive = alive_runs(server)
    if len(alive) == 1:
        (run,) = alive
        page = tour.stay(f"train?run={run.id}")
        wait_for_frame(page)
        make_run(run)
    else:
        page = tour.go("train?seconds=600")
        page.get_by_text("· 600 s").wait_for()
        run = start_training(page, server)
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    page.get_by_test_id("stSliderThumbValue").filter(has_text="1.0").wait_for()
    # The slider of another β goes a moment after this one has come.
    expect(page.get_by_role("slider", name="β now")).to_have_count(1)
    with halting(run.info.status.pid):
        yield run
    Control(run.path).send("pause")


def make_run(run):
    """Have a job run that an earlier test left, at β = 1."""
    control = Control(run.path)
    control.send("resume")
    if run.metrics("train")[-1]["beta"] != 1.0:
        control.send("beta", 1.0)
        wait_until(lambda: run.metrics("train")[-1]["beta"] == 1.0)
    wait_until(lambda: run.info.status.state == "running")


def test_a_short_training_shows_a_map_a_model_and_its_film(tour, server):
    page = tour.go("train")
    set_budget(page, 2)
    run = start_training(page, server)
    page.locator(".stage .map canvas").wait_for()
    page.get_by_role("button", name="Open in Explore").wait_for(timeout=60_000)
    wait_for_script(page)
    info = run.info
    assert info.status.state == "finished"
    # However few steps a busy machine took in three seconds: what stands there is the model's.
    found = evaluate_elbo(run.model, load_dataset("digits").split("test").images)
    assert info.results["test"]["reconstruction"] == pytest.approx(found.reconstruction, abs=0.5)
    assert info.results["test"]["kl"] == pytest.approx(found.kl, abs=1e-3)
    assert info.status.step == info.planned_steps > 0
    newest = run.snapshot(run.snapshot_steps()[-1])
    wait_for_step(page, newest.step)
    last = run.metrics("train")[-1]
    terms = page.locator(".stage .sum")
    expect(terms).to_contain_text(f"{last['reconstruction'] + last['kl']:.2f}")
    codes = page.locator(".stage").evaluate("root => [...root.stage.frames.at(-1).codes]")
    assert np.array(codes).reshape(-1, 2) == pytest.approx(newest.mean, abs=6e-4)
    before = page.locator(".stage .map canvas").evaluate(PIXELS)
    picture = page.locator(".stage .strip canvas").nth(1).evaluate(PIXELS)
    slider = page.get_by_role("slider", name="Film")
    slider.focus()
    slider.press("Home")
    wait_for_step(page, 0)
    expect(page.locator(".stage output")).to_contain_text("step 0 ")
    assert page.locator(".stage .map canvas").evaluate(PIXELS) != before
    assert page.locator(".stage .strip canvas").nth(1).evaluate(PIXELS) != picture
    # A film lasts seconds: its last fifth is played, to the end.
    slider.evaluate(
        "e => { e.value = 0.8 * e.max; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    draws = page.locator(".stage").evaluate(
        """async ({ stage }) => {
          stage.play();
          stage.pause();
          stage.play();
          await new Promise(requestAnimationFrame);
          const before = stage.drawn;
          await new Promise(requestAnimationFrame);
          return stage.drawn - before;
        }"""
    )
    assert draws == 1, "A pause and Play within one frame leave one film running."
    assert page.locator(".stage").evaluate(COUNT_BESIDE) == [0, 1], "Between frames the map moves."
    wait_for_step(page, newest.step)
    assert page.locator(".stage .map canvas").evaluate(PIXELS) == before
    assert Run(run.path).snapshot_steps()[0] == 0


@pytest.mark.slow
def test_a_finished_run_leads_to_its_diagnosis_and_to_slow_motion(tour, server):
    info = ensure_run(server.runs, "two").info
    page = tour.go("train?run=two")
    name = (
        "Why did it collapse?"
        if min(info.results["test"]["kl_per_dim"]) < DEAD_NATS
        else "Diagnose it"
    )
    page.get_by_role("button", name=name).click()
    page.wait_for_url("**/collapse?run=two")
    page.go_back()
    page.get_by_role("button", name="One step in slow motion").click()
    expect(page.get_by_role("radio", name="Slow motion")).to_be_checked(timeout=60_000)


def test_before_the_first_frame_the_stage_stands_there_and_says_why(tour, server):
    with RunWriter(server.runs / "ahead", latent_dim=2, planned_steps=9) as writer:
        page = tour.go("train?run=ahead")
        expect(page.locator(".stage output")).to_have_text(
            "Waiting for the first figures …", timeout=60_000
        )
        assert page.locator(".stage .map canvas").evaluate(IS_DRAWN), "the prior's rings"
        # A loop that keeps no codes has its figures, and no stage that waits for a map.
        writer.log(1, reconstruction=3.0, kl_per_dim=[0.5, 0.1])
        page.get_by_text("step 1 of 9").wait_for()
        expect(page.locator(".stage")).to_have_count(0)


def test_a_code_without_a_density_has_no_elbo_on_the_stage(tour, server):
    train(make_config(latent="point"), server.runs / "points")
    page = tour.go("train?run=points")
    last = Run(server.runs / "points").metrics("train")[-1]
    terms = page.locator(".stage .sum")
    expect(terms).to_have_text(
        f"reconstruction {last['reconstruction']:.2f}", use_inner_text=True, timeout=60_000
    )
    expect(page.locator(".stage output")).to_have_text("step 40")


HINDRANCES = [halting_server, pytest.param(busy_machine, marks=pytest.mark.slow)]


STANDS_AT = """step => {
  const stage = find();
  return stage && !stage.playing && stage.frames[stage.at]?.step === step;
  function find(root = document) {
    for (const element of root.querySelectorAll('*')) {
      if (element.stage) return element.stage;
      const inner = element.shadowRoot && find(element.shadowRoot);
      if (inner) return inner;
    }
    return null;
  }
}"""
COUNT_BESIDE = """({ stage }) => {
  const { curves } = stage;
  let drawn = 0;
  curves.draw = (...given) => { drawn++; Object.getPrototypeOf(curves).draw.apply(curves, given); };
  const at = Math.floor(stage.at);
  const count = (place) => {
    [drawn, stage.at] = [0, place];
    stage.draw(true);
    return drawn;
  };
  count(at);
  const found = [count(at + 0.1), count(at - 1)];
  delete curves.draw;
  // A slow page's film may have ended by now, and draws no more.
  count(at);
  return found;
}"""
"""How often what stands beside the map is drawn: as a film moves, and as it comes to a frame."""
PIXELS = "canvas => canvas.toDataURL()"
IS_DRAWN = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  .data.some((value) => value > 0)"""


@pytest.mark.parametrize("hinder", HINDRANCES)
def test_the_stage_stands_still_under_the_eye_while_it_ticks_on_a_busy_machine(
    tour, server, job, hinder
):
    """No chart goes away: the first tick's canvas is the last one's, and always visible."""
    page = tour.page
    page.locator(".stage .map canvas").wait_for()
    page.locator(".stage").evaluate(
        """root => {
          const canvas = root.querySelector('.map canvas');
          Object.assign(window, { absent: 0, looks: 0, steps: new Set() });
          const look = () => {
            window.looks++;
            const there = canvas.isConnected && canvas.getBoundingClientRect().height > 100;
            if (!there) window.absent++;
            window.steps.add(root.stage.data.log.at(-1).step);
            if (window.steps.size <= 5) requestAnimationFrame(look);
          };
          look();
        }"""
    )
    with hinder(server):
        page.wait_for_function("() => window.steps.size > 5")
    assert page.evaluate("[window.absent, window.looks > 5]") == [0, True]


def test_pause_step_beta_and_stop_reach_the_job(tour, job):
    page, run = tour.page, job
    press_until(page, "Pause", lambda: run.info.status.state == "paused")
    step = run.info.status.step
    press_until(page, "One step", lambda: run.info.status.step > step)
    assert run.metrics("train")[-1]["step"] == run.info.status.step < step + 5
    slider = page.get_by_role("slider", name="β now")
    slider.focus()
    slider.press("ArrowRight")
    press_until(page, "Resume", lambda: run.metrics("train")[-1]["beta"] == 2.0)
    press_until(page, "Stop", lambda: run.info.status.state == "stopped")
    stopped = run.info.status.step
    page.get_by_role("button", name="Go on training").click()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    wait_until(lambda: run.info.status.step > stopped)


def test_raising_beta_puts_dimensions_to_sleep_and_the_page_says_when(tour, job):
    page = tour.page
    wait_until(lambda: job.metrics("train")[-1]["kl"] > 1.0)
    slider = page.get_by_role("slider", name="β now")
    slider.focus()
    slider.press("End")
    # First in the training, which others on the machine may hold up, and then on the page.
    wait_until(lambda: job.metrics("train")[-1]["beta"] == 64.0)
    wait_until(lambda: min(job.metrics("train")[-1]["kl_per_dim"]) < 0.03)
    page.get_by_text(re.compile(r"fell asleep at step [\d,]+ \(β 64\)")).wait_for(timeout=60_000)


def test_beta_moved_in_another_tab_moves_the_slider_and_one_moved_here_stays(tour, job):
    page = tour.page
    slider = page.get_by_role("slider", name="β now")
    slider.focus()
    for beta in (2.0, 4.0):  # The same slider under the same hand.
        page.keyboard.press("ArrowRight")
        wait_until(lambda beta=beta: job.metrics("train")[-1]["beta"] == beta)
    page.get_by_text("β 1 → 4").wait_for()
    Control(job.path).send("beta", 16.0)
    page.get_by_test_id("stSliderThumbValue").filter(has_text="16.0").wait_for()


@pytest.mark.parametrize(
    "hinder, presses",
    [(halting_server, 4), pytest.param(busy_machine, 20, marks=pytest.mark.slow)],
)
def test_no_press_is_lost_while_the_page_ticks_on_a_busy_machine(
    tour, server, job, hinder, presses
):
    page = tour.page
    page.get_by_role("button", name="Pause", exact=True).click()
    wait_until(lambda: job.info.status.state == "paused")
    button = page.locator(".st-key-train_step button:enabled")
    button.wait_for()
    with hinder(server):
        for _ in range(presses):
            step = job.info.status.step
            button.click()
            wait_until(lambda step=step: job.info.status.step == step + 1)


def sent_betas(run):
    path = run.path / "control.json"
    commands = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return [command["value"] for command in commands if command["action"] == "beta"]


def test_two_tabs_command_one_job_and_neither_takes_back_the_others_beta(tour, job, page):
    before, seen = sent_betas(job), len(job.metrics("train"))
    page, other = tour.page, page
    other.goto(page.url)  # As a reload does, it finds the running job again.
    other.get_by_role("slider", name="β now").wait_for()
    other.get_by_role("button", name="Pause").wait_for()
    slider = page.get_by_role("slider", name="β now")
    slider.focus()
    slider.press("ArrowRight")
    for tab in (other, page):
        tab.get_by_test_id("stSliderThumbValue").filter(has_text="2.0").wait_for()
    other.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").wait_for()
    other.get_by_role("button", name="Stop", exact=True).click()
    for tab in (other, page):
        tab.get_by_role("button", name="Go on training").wait_for()
    assert sent_betas(job) == [*before, 2.0]
    points = job.metrics("train")[seen:]  # Who goes on after a stop counts commands anew.
    applied = [point["control"] for point in points]
    assert applied == sorted(applied) and job.info.status.state == "stopped"
    assert points[-1]["beta"] == 2.0


@pytest.mark.parametrize(
    "run_id",
    [
        "../../etc",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("no-such-run", "%00", "a" * 500)),
    ],
)
def test_an_unknown_run_in_the_address_is_one_clear_sentence(tour, run_id):
    page = tour.go(f"train?run={run_id}")
    page.get_by_text("There is no run").wait_for()
    assert page.get_by_role("button", name="Start", exact=True).is_enabled()


def test_a_broken_run_directory_does_not_break_the_page(tour, server):
    folder = server.runs / "broken"
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"schema": 99}), encoding="utf-8")
    page = tour.go("train?run=broken")
    page.get_by_text("was written by another version").wait_for()
    (folder / "run.json").unlink()
