"""The doors: for each, one generated input goes in, and what comes out is thrown away.

A door takes a seeded generator and an empty folder. It must end in an ExplorerError or in success.
"""

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from explorer.config import Config
from tests.runs.hostile import (
    change_arrays,
    change_bytes,
    change_values,
    damage,
    make_run,
    pick,
    write_json,
)

Door = Callable[[np.random.Generator, Path], Any]
WORDS = [
    "", "x", "-1", "0", "1e999", "nan", "²", "9" * 400, "..", "../../etc/passwd", "/dev/null", "~",
    "a\x00b", "\ud800", "<script>alert(1)</script>", "[a](http://evil.example)", "=1+1", "%00",
    "mnist-2d", "digits-2d", "digits-2d,digits-2d", "brush.EAAA", "rows.9999999", "rows.٣", "en",
    "0,0,1,1,0", "1," * 300, "'; drop", "\u202e", "\n", " ", "-", "--", "=", "@",
]  # fmt: skip


def word(rng: np.random.Generator) -> str:
    """Return what somebody may put in the place of a name, a number or an address."""
    return str(WORDS[rng.integers(len(WORDS))])


def any_file(rng: np.random.Generator, good: bytes) -> bytes:
    """Return a good file, damaged once or twice, or nothing like it."""
    if rng.random() < 0.1:
        return rng.bytes(int(rng.integers(0, 300)))
    content = change_bytes(good, rng) if good else good
    return change_bytes(content, rng) if content and rng.random() < 0.3 else content


def pack_npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@cache
def good_codes() -> bytes:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(40, 3))
    return pack_npz(mean=mean, logvar=mean - 3, labels=np.arange(40) % 4)


@cache
def picture(kind: str) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


# Files of a run


def run_files(rng: np.random.Generator, folder: Path) -> None:
    """A run of which one to three files were changed: listed, opened, checked."""
    from explorer.runs.check import check_run
    from explorer.runs.store import RunStore

    run = make_run(folder / "run")
    for _ in range(rng.integers(1, 4)):
        try:
            damage(run, rng)
        except Exception:  # What is damaged already is not always read for more.
            break
    runs, refused = RunStore(folder).survey()
    assert len(runs) + len(refused) == 1
    check_run(folder / "run")


# Codes


def codes(rng: np.random.Generator, folder: Path) -> None:
    """Codes of other hands: arrays or text, whole but odd, or damaged."""
    from explorer.analysis.codes_in.reading import read_any_codes

    kind = ("npz", "npy", "csv")[rng.integers(3)]
    path = folder / f"codes.{kind}"
    if kind == "npz" and rng.random() < 0.6:
        path.write_bytes(good_codes())
        change_arrays(path, rng)
    elif kind == "csv":
        rows = ["z1,z2,label", *(f"{pick(rng)},{word(rng)},{row}" for row in range(12))]
        path.write_bytes("\n".join(rows).encode("utf-8", "replace"))
    else:
        path.write_bytes(any_file(rng, good_codes()))
    read_any_codes(path)


# Pictures


def pictures(rng: np.random.Generator, folder: Path) -> None:
    """A zip of pictures with odd names, of which some are damaged, or the zip itself; or arrays."""
    from explorer.datasets.own.read import read_images

    if rng.random() < 0.3:
        path = folder / "images.npz"
        path.write_bytes(pack_npz(images=np.zeros((5, 6, 6), np.uint8), labels=np.arange(5)))
        if rng.random() < 0.7:
            change_arrays(path, rng)
        else:
            path.write_bytes(any_file(rng, path.read_bytes()))
    else:
        path, packed = folder / "images.zip", io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for number in range(rng.integers(0, 6)):
                kind = ("png", "jpeg", "gif", "bmp", "webp", "tiff")[rng.integers(6)]
                name = f"{word(rng)}/{number}.{kind}".replace("\ud800", "").replace("\x00", "")
                content = picture(kind)
                archive.writestr(name, any_file(rng, content) if rng.random() < 0.5 else content)
        content = packed.getvalue()
        path.write_bytes(any_file(rng, content) if rng.random() < 0.3 else content)
    read_images(path, size=8)


# Models


LAYERS = {
    "schema": 1,
    "encoder": {
        "shape": [1, 4, 4],
        "layers": [
            {"kind": "reshape", "shape": [16]},
            {"kind": "linear", "weight": "encoder.0", "bias": "encoder.1"},
        ],
    },
    "decoder": {
        "shape": [2],
        "layers": [
            {"kind": "linear", "weight": "decoder.0", "bias": "decoder.1"},
            {"kind": "sigmoid"},
        ],
    },
}
SHAPES = {"encoder.0": (4, 16), "encoder.1": (4,), "decoder.0": (16, 2), "decoder.1": (16,)}


@cache
def good_weights() -> bytes:
    from safetensors.numpy import save

    return save({name: np.ones(shape, np.float32) for name, shape in SHAPES.items()})


def layers(rng: np.random.Generator, folder: Path) -> None:
    """Weights and their layers.json, of which one was changed."""
    from explorer.models.adopted.weights import read_networks

    weights, described = good_weights(), json.dumps(LAYERS).encode()
    (folder / "weights.safetensors").write_bytes(
        any_file(rng, weights) if rng.random() < 0.3 else weights
    )
    values = json.loads(described)
    for _ in range(rng.integers(1, 4)):
        values = change_values(values, rng)
    changed = write_json(values) if rng.random() < 0.85 else any_file(rng, described)
    (folder / "layers.json").write_bytes(changed)
    read_networks(folder / "weights.safetensors", folder / "layers.json")


@cache
def good_graph() -> bytes:
    from tests.models.adopted.onnx_writer import digits_encoder

    return digits_encoder("logvar")


def onnx(rng: np.random.Generator, folder: Path) -> None:
    """An ONNX file whose bytes were changed."""
    from explorer.models.adopted.opening import open_encoder

    path = folder / "encoder.onnx"
    path.write_bytes(any_file(rng, good_graph()))
    open_encoder(path, (1, 8, 8))


# Text


def toml(rng: np.random.Generator, folder: Path) -> None:
    """A config of which a line was changed, doubled or filled with something else."""
    lines = Config().to_toml().splitlines()
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(lines)))
        key = lines[place].partition("=")[0]
        lines[place] = (
            f"{key}= {json.dumps(pick(rng))}",
            f"{key}= {'[' * 2000}",
            f"{key}= {'9' * 5000}",
            f"{'a.' * 3000}b = 1",
            word(rng),
            lines[int(rng.integers(len(lines)))],
        )[rng.integers(6)]
    Config.from_toml("\n".join(lines))


LOSS = "loss = F.mse_loss(x_hat, x) - 0.5 * torch.mean(1 + logvar - mu ** 2 - logvar.exp())"


def loss(rng: np.random.Generator, folder: Path) -> None:
    """A pasted loss with something in the place of some of its parts."""
    from explorer.analysis.loss.read import read_loss

    parts = list(LOSS)
    for _ in range(rng.integers(1, 6)):
        start = int(rng.integers(len(parts)))
        odd = ("(", ")" * 50, "**", "[" * 300, "0", "1e400", "x_hat", " lambda: ", "\n", word(rng))
        parts[start : start + int(rng.integers(0, 9))] = odd[rng.integers(len(odd))]
    read_loss("".join(parts))


COMMANDS = [
    ["runs", "--runs"], ["check"], ["beta"], ["data"], ["diagnose"], ["diagnose", "--codes"],
    ["evaluate"], ["export"], ["disentangle", "--codes"], ["train", "--config"],
    ["train", "--beta"], ["train", "--dataset"], ["train", "--latent-dim"], ["fit", "--model"],
    ["report", "--out", "page.html"], ["app", "--port"], ["app", "--host"],
    ["adopt", "--weights"], ["replay", "--checkpoints"], ["sweep", "--beta"],
]  # fmt: skip


def command(rng: np.random.Generator, folder: Path) -> None:
    """A command with odd values and options; what it would begin, it does not get to."""
    from explorer.cli import main

    values = [word(rng) for _ in range(rng.integers(1, 4))]
    chosen = COMMANDS[rng.integers(len(COMMANDS))]
    # A run that cannot be: whatever else holds, nothing trains and no server starts.
    ending = {"app": ["--port", "-1"], "train": ["--steps", "0"], "sweep": ["--steps", "0"]}
    given = [*chosen, *values, *ending.get(chosen[0], ["--seed", "x"])]
    try:
        assert main(given) in (0, 1, 2)
    except SystemExit as ended:  # What argparse does not take.
        assert ended.code == 2


# Addresses and messages


def address(rng: np.random.Generator, folder: Path) -> None:
    """What stands in an address, as the document and the pages' readers take it."""
    from explorer.app.hosts import is_known
    from explorer.app.views.elbo.shared import parse_mask
    from explorer.errors import ExplorerError
    from explorer.runs.store import find_run, pretrained_store

    is_known(word(rng) + word(rng), {"localhost"})
    parse_mask(f"{word(rng)}.{word(rng)}", (1, 4, 6), 3)
    parse_mask(word(rng), (1, 4, 6), 3)
    try:
        find_run(word(rng), (pretrained_store(),)).info  # noqa: B018
    except ExplorerError as error:
        assert str(error)


def message(rng: np.random.Generator, folder: Path) -> None:
    """What a map asks of the server, as nobody's browser would."""
    from explorer.export.answers import ANSWERS
    from explorer.runs.store import open_run

    model = open_run("digits-2d").model
    good: dict[str, Any] = {
        "x": "AAAA",
        "z": [0.5, 0.5],
        "points": [[0.0, 1.0]],
        "mode": "sample",
        "seed": 1,
        "number": 3,
    }
    asked: Any = change_values(good, rng) if rng.random() < 0.9 else pick(rng)
    try:
        asked = json.loads(write_json(asked))  # As it comes: nested, endless, no number.
    except (ValueError, RecursionError):
        return
    for answer in ANSWERS.values():
        found = answer(model, asked)
        assert found is None or "number" in found


DOORS: dict[str, Door] = {
    "files of a run": run_files,
    "codes": codes,
    "pictures": pictures,
    "layers": layers,
    "onnx": onnx,
    "toml": toml,
    "loss": loss,
    "command": command,
    "address": address,
    "message": message,
}
"""By what comes in there."""
