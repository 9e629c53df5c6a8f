"""Collapse: the prepared patient, a remedy from click to before and after, and own codes.

What is slow here is read without a browser in tests/app/test_collapse.py.
"""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.runs.store import RunStore
from explorer.training.loop import train
from tests.helpers import present
from tests.small_run import make_config
from tests.waiting import wait_for_script

pytestmark = pytest.mark.browser


@pytest.fixture
def patient(tour):
    """The page of the prepared patient; whatever is asked there unfolds beside what stands."""
    return tour.stay("collapse?run=digits-collapsed")


@pytest.fixture
def cured(tour):
    """The page of its cure."""
    return tour.stay("collapse?run=digits-cured")


@pytest.mark.slow
def test_the_prepared_patient_and_its_cure_stand_side_by_side(patient):
    page = patient
    page.get_by_text("All latents fell asleep (6 of 6), the last by step 17").wait_for(
        timeout=60_000
    )
    page.get_by_text("exceeds 0.0225, the most that a direction").wait_for()
    page.get_by_text("Before and after: optimal σ²").wait_for()
    page.get_by_text("6 of 6 active").wait_for()


@pytest.mark.slow
def test_a_pasted_loss_says_its_beta_and_changes_with_what_is_corrected(patient):
    page = patient
    page.get_by_text("What is my β?").click(timeout=60_000)
    # The example: a mean over 28·28 pixels, and over 20 latents: .1/20 · 784 / 2.
    page.get_by_text("βσ² = 1.96").wait_for()
    page.get_by_text("β changes with the image size").first.wait_for()
    paste = page.get_by_label("Your loss")
    paste.fill('loss = F.mse_loss(x_hat, x, reduction="sum") / len(x)')
    paste.press("Control+Enter")
    page.get_by_text("Add the KL").wait_for()
    paste.fill("nothing here")
    paste.press("Control+Enter")
    page.get_by_text("There is no Python in this").wait_for()


@pytest.mark.slow
def test_own_codes_are_judged_without_our_model(patient, tmp_path):
    page = patient
    rng = np.random.default_rng(0)
    mean = np.stack([rng.normal(0, 0.95, 1000), np.zeros(1000)], 1)
    logvar = np.log(np.stack([np.full(1000, 0.1), np.ones(1000)], 1))
    labels = np.where(mean[:, 0] < 0, "left", "right")
    np.savez(tmp_path / "mine.npz", mean=mean, logvar=logvar, labels=labels)
    np.savez(tmp_path / "wrong.npz", picture=labels)
    page.get_by_role("radio", name="Your own codes").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "wrong.npz")
    page.get_by_text("it holds picture").wait_for()
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.npz")
    page.get_by_text("1 of 2 dimensions are not in use.").wait_for()
    page.get_by_text("tell its label for 9").wait_for()
    page.wait_for_function(COLOURED)


COLOURED = """() => [...document.querySelectorAll('.js-plotly-plot')].some(plot => {
  const names = plot._fullData.filter(t => t.mode === 'markers').map(t => t.name);
  return names.includes('left') && names.includes('right');
})"""


@pytest.mark.slow
def test_own_codes_over_steps_are_a_timeline(patient, tmp_path):
    page = patient
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(3, 500, 2)) * np.array([[[0.95, 0.9]], [[0.95, 0.0]], [[0.95, 0.0]]])
    logvar = np.log([[[0.1, 0.2]], [[0.1, 1.0]], [[0.1, 1.0]]]) + np.zeros((3, 500, 2))
    np.savez(tmp_path / "film.npz", mean=mean, logvar=logvar, steps=[1, 100, 200])
    np.savez(tmp_path / "steps.npz", mean=mean, logvar=logvar, steps=[1, 100])
    page.get_by_role("radio", name="Your own codes").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "steps.npz")
    page.get_by_text("an array steps (3,)").wait_for()
    page.locator("input[type=file]").set_input_files(tmp_path / "film.npz")
    page.get_by_text("Diagnosed at step 200, the last of 3.").wait_for()
    page.get_by_text("1 of 2 dimensions are not in use.").wait_for()
    told = "When each dimension died or woke z₂ fell asleep between steps 1 and 100."
    page.get_by_role("img", name=told).wait_for()


def test_details_show_what_a_dimension_does_and_a_table_that_its_columns_order(cured):
    page = cured
    page.get_by_text("Details").click(timeout=60_000)
    page.get_by_text("What moving one dimension does").wait_for()
    page.get_by_text("In use: z").wait_for()
    page.get_by_text("Where active and passive separate").wait_for()
    table = page.locator(".explorer-rows").first
    came = table.locator("tbody th").all_inner_texts()
    name = table.get_by_role("button", name="KL, nats")
    for way, sign in (("ascending", 1), ("descending", -1)):
        name.press("Enter")
        expect(table.locator(f"thead th[aria-sort={way}]")).to_have_text("KL, nats")
        values = table.locator("tbody td:nth-child(4)").evaluate_all(
            "cells => cells.map(cell => Number(cell.dataset.value))"
        )
        assert values == sorted(values, key=lambda value: sign * value)
        assert len(set(values)) == len(came) == 6
    name.click()
    expect(table.locator("tbody th")).to_have_text(came)
    expect(table.locator("[aria-sort]")).to_have_count(0)


def test_the_playhead_tells_each_moment_while_it_is_dragged(cured):
    page = cured
    page.get_by_text("6 of 6 latents awake").wait_for(timeout=60_000)
    slider = page.get_by_role("slider", name="Step")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 9, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 9, middle, steps=8)
    # The button is still down: it follows the hand, and the address keeps the last rest.
    page.get_by_text(re.compile(r"Step [01], β 1: ")).wait_for()
    page.get_by_role("img", name=re.compile("Codes of .* at step 0$")).wait_for()
    page.get_by_role("img", name=re.compile("^At step 0: ")).wait_for()
    assert "step=" not in page.url
    page.mouse.up()
    page.wait_for_url(re.compile(r"step=[01]\b"))
    wait_for_script(page)
    page.go_back()
    page.get_by_text("6 of 6 latents awake").wait_for()
    wait_for_script(page)
    assert "step=" not in page.url


SQUARED = """recon = F.mse_loss(x_hat, x, reduction="sum") / len(x)
kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp()) / len(x)
loss = recon + kl"""


def test_a_pasted_loss_tells_why_codes_of_ones_own_sleep(tour, tmp_path):
    """βσ² = ½, and of the digits' eigenvalues .70, .65, .55, .39, … three exceed that."""
    rng = np.random.default_rng(0)
    mean = np.zeros((500, 6))
    mean[:, :3] = 0.99 * rng.standard_normal((500, 3))
    logvar = np.log(np.where(np.arange(6) < 3, 0.02, 1.0)) + np.zeros((500, 6))
    np.savez(tmp_path / "mine.npz", mean=mean, logvar=logvar)
    page = tour.go("collapse?subject=codes")
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.npz", timeout=60_000)
    page.get_by_text("3 of 6 latents are asleep: why cannot be told before its β").wait_for()
    paste = page.get_by_label("Your loss")
    paste.fill(SQUARED)
    paste.press("Control+Enter")
    page.get_by_text("βσ² = 0.5").first.wait_for()
    page.get_by_role("combobox", name="Your data").click()
    page.get_by_role("option", name="digits", exact=True).click()
    page.get_by_text("and in these images 3 directions exceed that").wait_for()
    page.get_by_text("βσ² falls from 0.5 to 0.1").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report to send").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert "and in these images 3 directions exceed that" in text


def test_a_sweep_says_at_which_beta_its_latents_fall_asleep(tour):
    page = tour.go("collapse?subject=sweep&sweep=mnist-beta-sweep")
    page.get_by_text("the last between 31 and 34").first.wait_for(timeout=60_000)
    slider = page.get_by_role("slider", name="β")
    slider.focus()
    for _ in range(12):
        slider.press("ArrowLeft")
    page.get_by_text("β = 0.1: KL").wait_for()
    page.get_by_role("button", name=re.compile(r"Ask about .*0\.1")).click()
    page.get_by_text("All latents are in use (2 of 2).").wait_for(timeout=60_000)


@pytest.mark.slow
def test_a_remedy_is_trained_beside_the_sick_run(page, server):
    config = make_config(300, hidden=(32,), likelihood="gaussian", sigma2=5.0)
    train(config, server.runs / "sick")
    page.goto(f"{server.url}/collapse?run=sick")
    page.get_by_text("All latents fell asleep (2 of 2)").wait_for(timeout=60_000)
    page.get_by_text("σ² 5 → 0.1 at the start").wait_for()
    page.get_by_role("button", name="Train: optimal σ²").click()
    page.get_by_text("Before and after: optimal σ²").wait_for()
    page.get_by_text("0 of 2 active").wait_for()
    page.get_by_text("2 of 2 active").wait_for(timeout=90_000)
    cured = [r for r in RunStore(server.runs).list() if "optimal" in r.id and r.id != "sick"]
    info = cured[0].info
    assert present(info.config).seed == config.seed and present(info.config).budget == config.budget
