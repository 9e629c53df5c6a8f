"""What `explorer.show` finds and refuses, without a notebook around it."""

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import explorer
from explorer.datasets import ImageDataset
from explorer.errors import ExplorerError
from explorer.export.container import unpack
from explorer.notebook.frame import Frame
from explorer.notebook.lens import choose_image
from explorer.notebook.live import LiveModel, build_live_payload
from explorer.notebook.scripts import widget_script, widget_style
from explorer.runs.run import Run


def images(count=6):
    return np.random.default_rng(0).integers(0, 255, (count, 1, 4, 4), np.uint8)


def dataset(count=6):
    return ImageDataset.from_arrays(images(count), np.arange(count) % 3, "few")


def halves(x):
    """An encoder whose codes are known: the means of the upper and of the lower half."""
    return x[:, :, :2].mean((1, 2, 3)), x[:, :, 2:].mean((1, 2, 3))


def encode(x):
    return torch.stack(halves(x), 1), torch.full((len(x), 2), -2.0)


def decode(z):
    return z.mean(1, keepdim=True).expand(-1, 16)


def test_without_anywidget_it_says_what_to_install():
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "from explorer.errors import ExplorerError\n"
        "from explorer.notebook.base import Pictured\n"
        "try: Pictured()\n"
        "except ExplorerError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'latent-explorer[notebook]'" in answer.stdout, answer.stderr


def test_a_frame_holds_the_whole_page_and_lets_it_see_nothing(tiny_run):
    frame = explorer.show(tiny_run, frame=True)
    assert isinstance(frame, Frame)
    shown = frame._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and 'sandbox="allow-scripts' in shown
    assert "allow-same-origin" not in shown
    assert "&lt;!doctype html&gt;" in shown


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Give a run"),
        ({"encode": encode, "decode": decode}, "Give a run"),
        ({"encode": encode, "decode": decode, "images": images(), "frame": True}, "adopt"),
        ({"run": "no-such-run"}, "no-such-run"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        explorer.show(**given)


def test_a_live_model_gives_the_codes_that_its_function_does():
    model, few = LiveModel(encode, decode, dataset()), dataset()
    header = unpack(build_live_payload(model, few, "mine"))
    x = torch.from_numpy(images().astype(np.float32) / 255)
    mean = header["codes"]["mean"].reshape(-1, 2)
    assert np.allclose(mean, torch.stack(halves(x), 1), atol=1e-3)
    assert header["latent"] == {"kind": "gaussian", "size": 2, "logvarBound": None}
    assert header["networks"] is None and header["live"]


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (lambda x: encode(x)[0], "point"),
        (lambda x: encode(x)[0].numpy(), "point"),
        (lambda x: torch.distributions.Normal(encode(x)[0], 2.0), "gaussian"),
    ],
)
def test_an_encoder_may_return_a_mean_an_array_or_a_distribution(returned, kind):
    model = LiveModel(returned, decode, dataset())
    assert (model.latent_kind, model.latent_dim) == (kind, 2)
    logvar = model.encode_parameters(torch.zeros(1, 1, 4, 4))[1]
    if kind == "gaussian":
        assert logvar is not None and torch.allclose(logvar, torch.full((1, 2), 4.0).log())
    else:
        assert logvar is None


def test_functions_that_do_not_fit_are_refused_in_a_sentence():
    with pytest.raises(ExplorerError, match="12 numbers a picture"):
        LiveModel(encode, lambda z: torch.zeros(len(z), 12), dataset())
    with pytest.raises(ExplorerError, match="3 arrays"):
        LiveModel(lambda x: (*encode(x), x), decode, dataset())
    with pytest.raises(ExplorerError, match="one row for each"):
        LiveModel(lambda x: torch.zeros(1, 2), decode, dataset())


@pytest.mark.parametrize("name", ["map", "lens", "film"])
def test_a_widget_is_one_module_that_fetches_nothing(name):
    script = re.sub(r"/\*.*?\*/", "", widget_script(name), flags=re.DOTALL)
    assert "export default modules[" in script
    assert "fetch(" not in script and "import(" not in script
    assert ".in-notebook" in widget_style(name)


def test_an_image_is_a_place_or_an_array(tiny_run: Run):
    shape = tuple(tiny_run.model.shape)
    grey = np.full(shape[1:], 0.5)
    assert choose_image(tiny_run, grey).tolist() == np.full((1, *shape), 128).tolist()
    assert choose_image(tiny_run, np.int64(2)).shape == (1, *shape)
    with pytest.raises(ExplorerError, match="the model takes"):
        choose_image(tiny_run, np.zeros((3, 3)))
    with pytest.raises(ExplorerError, match="images at hand"):
        choose_image(tiny_run, 10**6)


def test_what_is_no_run_is_refused_in_one_sentence():
    calls: list[Any] = [explorer.show, explorer.lens]
    for call in calls:
        with pytest.raises(ExplorerError, match="A Linear is no run"):
            call(torch.nn.Linear(2, 3))
