"""Collapse without a browser: what is said of a run, a sweep, a loss and anyone's codes."""

import io
import json

import numpy as np

from tests.app.test_pages import find_given, open_page, said


def pack(**arrays):
    """Return arrays as the bytes of an .npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def read(app):
    """Return all that a page says, headlines too, without their escapes."""
    assert not app.exception
    headlines = [headline.value.replace("\\", "") for headline in app.subheader]
    return " ".join([*headlines, *said(app), *(tile.value for tile in app.metric)])


def drop(app, name, content):
    """Drop a file where codes are asked for, and return what is said then."""
    app.file_uploader(key="collapse_codes").set_value((name, content, "application/zip")).run()
    return read(app)


def test_the_prepared_patient_and_its_cure_stand_side_by_side():
    told = read(open_page("collapse", run="digits-collapsed"))
    assert "All latents fell asleep (6 of 6), the last by step 17" in told
    assert "Before and after: optimal σ²" in told
    assert "0 of 6 active" in told and "6 of 6 active" in told
    assert "exceeds 0.0225, the most that a direction" in told


def test_details_say_what_is_in_use_and_show_what_the_decoder_does_with_it():
    app = open_page("collapse", run="digits-cured")
    told = read(app)
    assert app.expander[0].label == "Details"
    assert "What moving one dimension does" in told
    assert "Where active and passive separate" in told
    strips = [html.proto.body for html in app.get("html") if "explorer-strip" in html.proto.body]
    assert len(strips) == 1 and "In use: z" in strips[0]


def test_a_sweep_says_at_which_beta_its_latents_fall_asleep():
    app = open_page("collapse", subject="sweep", sweep="mnist-beta-sweep")
    assert "the last between 31 and 34" in read(app)
    assert app.button(key="collapse_sweep_ask").label.replace("\\", "").endswith("beta-40")


def test_a_pasted_loss_says_its_beta_and_changes_with_what_is_corrected():
    app = open_page("collapse", subject="loss")
    # The example: a mean over 28·28 pixels, and over 20 latents: .1/20 · 784 / 2.
    told = read(app)
    assert "βσ² = 1.96" in told and "β changes with the image size" in told
    (paste,) = app.text_area
    paste.set_value('loss = F.mse_loss(x_hat, x, reduction="sum") / len(x)').run()
    assert "Add the KL" in read(app)
    app.text_area[0].set_value("nothing here").run()
    assert "There is no Python in this" in read(app)


def test_own_codes_are_judged_without_our_model():
    rng = np.random.default_rng(0)
    mean = np.stack([rng.normal(0, 0.95, 1000), np.zeros(1000)], 1)
    logvar = np.log(np.stack([np.full(1000, 0.1), np.ones(1000)], 1))
    labels = np.where(mean[:, 0] < 0, "left", "right")
    app = open_page("collapse", subject="codes")
    assert "it holds picture" in drop(app, "wrong.npz", pack(picture=labels))
    told = drop(app, "mine.npz", pack(mean=mean, logvar=logvar, labels=labels))
    assert "1 of 2 dimensions are not in use." in told
    assert "tell its label for 9" in told
    drawn = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")]
    marked = [
        {trace.get("name") for trace in traces if trace.get("mode") == "markers"}
        for traces in drawn
    ]
    assert any({"left", "right"} <= names for names in marked), "coloured by its labels"


def test_own_codes_over_steps_are_a_timeline():
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(3, 500, 2)) * np.array([[[0.95, 0.9]], [[0.95, 0.0]], [[0.95, 0.0]]])
    logvar = np.log([[[0.1, 0.2]], [[0.1, 1.0]], [[0.1, 1.0]]]) + np.zeros((3, 500, 2))
    app = open_page("collapse", subject="codes")
    told = drop(app, "steps.npz", pack(mean=mean, logvar=logvar, steps=[1, 100]))
    assert "an array steps (3,)" in told
    told = drop(app, "film.npz", pack(mean=mean, logvar=logvar, steps=[1, 100, 200]))
    assert "Diagnosed at step 200, the last of 3." in told
    assert "1 of 2 dimensions are not in use." in told
    values = find_given(app, "timeline")
    assert values["words"]["told"].endswith("z₂ fell asleep between steps 1 and 100.")
    assert [row["at"] for row in values["rows"]] == [1, 100, 200]
