"""A paste is mended where copying broke it, refused where nothing is code, and never run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.loss.effective import effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.source import LONGEST, parse_source
from explorer.analysis.loss.understood import Data
from explorer.errors import ExplorerError
from tests.analysis.loss.cases import TORCH
from tests.analysis.loss.cases_elsewhere import OTHERS

DATA = Data((1, 28, 28), 20, 64)
PLAIN = """rec = F.mse_loss(x_hat, x, reduction='sum')
kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp())
loss = rec + kl"""


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\n".join("        " + line for line in PLAIN.splitlines()),
        PLAIN.replace("\n", "\n        "),
        "\n".join(">>> " + line for line in PLAIN.splitlines()),
        PLAIN.replace("-", "−").replace("'", "‘", 1).replace("'", "’"),
        PLAIN.replace("-0.5 * torch", "−0.5·torch").replace("mu ** 2", "mu²"),
        "\ufeff" + PLAIN.replace("    ", "\t"),
        PLAIN + "\nreturn loss",
        "loss.py, line 12:\n" + PLAIN,
        "def f(x, x_hat, mu, logvar):\n"
        + "\n".join("  " + line for line in PLAIN.splitlines())
        + "\n  return loss",
        "class VAE:\n  def step(self):\n"
        + "\n".join("    " + li for li in PLAIN.splitlines())
        + "\n    loss.backward()",
        "with torch.no_grad():\n" + "\n".join("    " + line for line in PLAIN.splitlines()),
        "for x, _ in loader:\n    optimizer.zero_grad()\n"
        + "\n".join("    " + line for line in PLAIN.splitlines())
        + "\n    loss.backward()",
        PLAIN.replace("rec =", "rec: torch.Tensor ="),
        PLAIN.replace("loss = rec + kl", "return {'loss': rec + kl, 'kl': kl.item()}"),
        PLAIN.replace("loss = rec + kl", "return rec + kl, rec, kl"),
        PLAIN.replace("loss = rec + kl", "return rec, kl"),
    ],
)
def test_however_it_was_copied_it_is_the_same_loss(text):
    assert effective_loss(read_loss(text, DATA), DATA).sigma2 == 0.5


def test_lines_that_are_no_python_are_told():
    found = read_loss("Here is my loss function:\n" + PLAIN + "\nwhat is wrong with it?", DATA)
    unread = [doubt.text for doubt in found.doubts if doubt.code == "not_python"]
    assert unread == ["Here is my loss function:", "what is wrong with it?"]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "no Python"),
        ("   \n ", "no Python"),
        ("(((((", "no Python"),
        ("x" * (LONGEST + 1), "paste the loss alone"),
        ("a = " + "(" * 500 + "1" + ")" * 500, "no Python"),
        ("a = " + "-" * 3000 + "1", "nested too deeply"),
        ("import torch", "No loss was found"),
        ("learning_rate = 1e-3", "No loss was found"),
    ],
)
def test_what_is_no_loss_is_one_clear_error(text, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        read_loss(text, DATA)


def test_nothing_of_a_paste_is_run(tmp_path):
    mark = tmp_path / "mark"
    lines = [
        f"__import__('pathlib').Path({str(mark)!r}).touch()",
        f"open({str(mark)!r}, 'w')",
        f"x = [open({str(mark)!r}, 'w') for _ in range(3)]",
        f"f = (lambda: open({str(mark)!r}, 'w'))()",
        f"def x_hat(a=open({str(mark)!r}, 'w')):\n    pass",
        f"@open({str(mark)!r}, 'w')\nclass A:\n    y = open({str(mark)!r}, 'w')",
        f"exec(\"open({str(mark)!r}, 'w')\")",
    ]
    read_loss("\n".join(lines) + "\n" + PLAIN, DATA)
    assert not mark.exists()


@pytest.mark.parametrize(
    "text",
    ["loss = f(x)\ndef f(x):\n    return f(x)", "def f(x): return g(x)\ndef g(x): return f(x)\n"
     "loss = f(x)", "while True: pass", "for i in range(10 ** 12): loss = x",
     "loss = 2 ** 2 ** 2 ** 2 ** 2 ** 2", "loss = 10 ** 400 * x", "r = range(10 ** 12)",
     "loss = " + " * ".join(f"(a{i} + b{i})" for i in range(30)),
     "loss = " + " + ".join(f"x{i}" for i in range(2000)), "loss = 1 / 0 * kl", "loss = x.view()",
     "loss = x.sum(dim=99)", "loss = x.sum(dim='a')", "loss = F.mse_loss(x)", "*a, b = x"],
)  # fmt: skip
def test_endless_and_senseless_code_ends(text):
    try:
        read_loss(text, DATA)
    except ExplorerError:
        pass


@given(st.sampled_from([*TORCH, *OTHERS]), st.data())
def test_a_damaged_paste_never_fails_otherwise(case, data):
    text = list(case.text)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(["", "(", ")", ".", ",", "=", "\n", " x", " 1", "[", ":", "**", "*"])
        )
    try:
        read_loss("".join(text), case.data, case.values).to_dict()
    except ExplorerError:
        pass


@pytest.mark.parametrize(
    "text, library",
    [("F.mse_loss(x, y)", "torch"), ("x = jnp.exp(y)", "jax"), ("K.sum(x)", "keras"),
     ("ops.sum(x)", "keras"), ("tf.reduce_sum(x)", "tensorflow"), ("x.sum()", "torch"),
     ("import keras\nx = 1", "keras"), ("with tf.GradientTape(): ops.sum(x)", "tensorflow")],
)  # fmt: skip
def test_the_library_is_known_by_its_names(text, library):
    assert parse_source(text).library == library
