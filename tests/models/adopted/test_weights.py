"""Weights beside layers.json: written and read again, and no file that could run code is opened."""

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import from_layers, open_onnx
from explorer.models.adopted.formats import sniff
from explorer.models.adopted.layers.limits import MAX_WEIGHTS
from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import Layer, opaque_kind
from explorer.models.adopted.weights import read_networks, read_weights, save_networks
from tests.datasets.own.cases import raw_zip
from tests.helpers import present
from tests.models.adopted.onnx_writer import digits_decoder, digits_model, one_node

LINEAR = [{"kind": "linear", "weight": "w", "bias": "b"}]


def state():
    """Return the digits model's weights under the names that torch gives them."""
    model = digits_model()
    parts = {"encoder": model.encoder, "decoder": model.decoder}
    return {f"{p}.{k}": v for p, network in parts.items() for k, v in network.state_dict().items()}


def described():
    """Return the digits model's layers as a person would write them down."""

    def perceptron(part, numbers):
        layers = []
        for number in numbers:
            name = f"{part}.{number}"
            layers += [{"kind": "linear", "weight": f"{name}.weight", "bias": f"{name}.bias"}]
            layers += [{"kind": "relu"}]
        return layers[:-1]

    decoder = [*perceptron("decoder", (0, 2, 4)), {"kind": "reshape", "shape": [1, 8, 8]}]
    return {
        "schema": 1,
        "encoder": {
            "shape": [1, 8, 8],
            "layers": [{"kind": "flatten"}, *perceptron("encoder", (1, 3, 5))],
        },
        "decoder": {"shape": [2], "layers": decoder},
    }


def write(folder, name, values=None):
    """Write weights in the format that the name says, with layers.json beside them."""
    path = folder / name
    if name.endswith(".safetensors"):
        save_file(state(), path)
    else:
        content = {"state_dict": state(), "epoch": 3} if "checkpoint" in name else state()
        torch.save(content, path)
    (folder / "layers.json").write_text(json.dumps(values or described()), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pt", "checkpoint.pt"])
def test_weights_and_a_list_of_layers_are_the_networks(tmp_path, name):
    encoder, decoder = read_networks(write(tmp_path, name))
    model = digits_model()
    x, z = torch.rand((4, 1, 8, 8)), torch.randn((4, 2))
    torch.testing.assert_close(encoder(x), model.encoder(x))
    torch.testing.assert_close(decoder(z), model.decoder(z))


def test_what_is_written_is_read_again(tmp_path):
    """Branches, an ONNX graph that could not be drawn, every sort of setting."""
    residual = Layer("sum", {}, {}, ((Layer("conv", {"padding": [1, 1]}, {
        "weight": torch.randn(3, 3, 3, 3)}), Layer("relu")), ()))  # fmt: skip
    encoder = build_network([residual, Layer("reshape", {"shape": [48]})], (3, 4, 4))
    graph = open_onnx(one_node("Celu", shape=(4,)))
    save_networks(tmp_path, encoder, graph.network)
    first, second = read_networks(tmp_path / "checkpoint.safetensors")
    x, z = torch.randn((2, 3, 4, 4)), torch.randn((2, 4))
    torch.testing.assert_close(first(x), encoder(x))
    torch.testing.assert_close(second(z), torch.celu(z))
    assert (opaque_kind(first.layers), opaque_kind(second.layers)) == (None, "onnx")


def test_batch_norm_of_a_state_dict_is_folded(tmp_path):
    norm = torch.nn.BatchNorm2d(3)
    present(norm.running_mean).normal_()
    present(norm.running_var).uniform_(0.5, 2)
    conv = torch.nn.Conv2d(3, 3, 3)
    parts = {"c": conv, "n": norm}
    state = {f"{p}.{k}": v for p, module in parts.items() for k, v in module.state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    layers = [
        {"kind": "conv", "weight": "c.weight", "bias": "c.bias"},
        {
            "kind": "batchNorm",
            "mean": "n.running_mean",
            "variance": "n.running_var",
            "weight": "n.weight",
            "bias": "n.bias",
        },
    ]
    part = {"shape": [3, 6, 6], "layers": layers}
    (tmp_path / "layers.json").write_text(
        json.dumps({"schema": 1, "encoder": part, "decoder": part}),
        encoding="utf-8",
    )
    found = read_networks(tmp_path / "w.safetensors")[0]
    x = torch.randn((2, 3, 6, 6))
    assert [layer.kind for layer in found.layers] == ["conv"]
    with torch.no_grad():
        expected = norm.eval()(conv(x))
    torch.testing.assert_close(found(x), expected, rtol=1e-5, atol=1e-5)


# What is refused.


class Evil:
    """A pickle of this runs a command when it is opened."""

    def __init__(self, flag):
        self.flag = flag

    def __reduce__(self):
        return os.system, (f"touch {self.flag}",)


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as zipped:
        for name, data in members.items():
            zipped.writestr(name, data)


def wide_view(path):
    """A tensor of four numbers that says that it has a terabyte of them."""
    torch.save({"w": torch.zeros(1).expand(1_000_000, 1_000_000)}, path)


def compressed(path):
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(2_000_000)}, buffer)
    with zipfile.ZipFile(buffer) as whole:
        archive(path, {m: whole.read(m) for m in whole.namelist()}, zipfile.ZIP_DEFLATED)


def promising(path):
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}})
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())


FILES = {
    "evil.pkl": lambda p: p.write_bytes(pickle.dumps(Evil(p.with_name("PWNED")))),
    "evil.pt": lambda p: archive(
        p, {"archive/data.pkl": pickle.dumps(Evil(p.with_name("PWNED"))), "archive/version": "3\n"}
    ),
    "module.pt": lambda p: torch.save(torch.nn.Linear(2, 2), p),
    "script.pt": lambda p: torch.jit.save(
        torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), p
    ),
    "exported.pt2": lambda p: torch.export.save(
        torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)), p
    ),
    "model.keras": lambda p: archive(p, {"config.json": "{}", "model.weights.h5": ""}),
    "model.h5": lambda p: p.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "arrays.npz": lambda p: np.savez(p, w=np.zeros(3)),
    "wide.pt": wide_view,
    "compressed.pt": compressed,
    "promising.safetensors": promising,
    "damaged.safetensors": lambda p: p.write_bytes(struct.pack("<Q", 20) + b"{" + bytes(30)),
    "empty.pt": lambda p: torch.save({"epoch": 3}, p),
    "broken.zip": lambda p: p.write_bytes(b"PK\x03\x04" + bytes(100)),
    "shared.pt": lambda p: raw_zip(p, b"archive/data.pkl", bytes(9), 9, names=50),
    "many.pt": lambda p: archive(p, {f"archive/{i:0>2000}": "" for i in range(2_100)}),
    "text.txt": lambda p: p.write_text("hello", encoding="utf-8"),
    "net.onnx": lambda p: p.write_bytes(digits_decoder()),
}
WORDS = {
    "evil.pkl": "pickle", "evil.pt": "more than weights", "module.pt": "more than weights",
    "script.pt": "TorchScript", "exported.pt2": "exported program", "model.keras": "Keras",
    "model.h5": "Keras", "arrays.npz": "no network", "wide.pt": f"{MAX_WEIGHTS:,}",
    "compressed.pt": "torch.save", "promising.safetensors": "damaged",
    "damaged.safetensors": "damaged", "empty.pt": "no state_dict", "broken.zip": "broken",
    "shared.pt": "share the same bytes", "many.pt": "more files",
    "text.txt": "no format", "net.onnx": "ONNX files as encoder and decoder",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", FILES)
def test_files_that_could_run_code_or_lie_are_refused_in_one_sentence(tmp_path, name):
    path = tmp_path / name
    FILES[name](path)
    before = {entry.name for entry in tmp_path.iterdir()}
    with pytest.raises(ExplorerError, match=WORDS[name]) as caught:
        read_weights(path)
    sentence = str(caught.value)
    assert sentence.endswith(".") and ". " not in sentence and "\n" not in sentence
    assert {entry.name for entry in tmp_path.iterdir()} == before  # Nothing ran: no PWNED.


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", [n for n in FILES if n not in ("net.onnx", "text.txt")])
def test_the_same_files_are_refused_in_place_of_onnx(tmp_path, name):
    path = tmp_path / name
    FILES[name](path)
    with pytest.raises(ExplorerError):
        open_onnx(path)
    assert not (tmp_path / "PWNED").exists()


def test_a_file_is_known_by_its_content_and_not_by_its_name(tmp_path):
    path = tmp_path / "weights.onnx"
    save_file({"w": torch.zeros(2)}, path)
    assert sniff(path) == "safetensors"
    with pytest.raises(ExplorerError, match="file of weights"):
        open_onnx(path)
    with pytest.raises(ExplorerError, match="cannot be read"):
        read_weights(tmp_path / "missing.pt")


def changed(**parts):
    return {**described(), **parts}


def layer(**fields):
    return changed(encoder={"shape": [1, 8, 8], "layers": [fields]})


WEIGHT = "encoder.1.weight"
DESCRIPTIONS = {
    "no schema": (changed(schema=2), "schema 1"),
    "no decoder": (changed(decoder=None), "describes no decoder"),
    "no layers": (changed(decoder={"shape": [2]}), "describes no decoder"),
    "no shape": (changed(decoder={"layers": []}), "needs its shape"),
    "a shape of words": (changed(decoder={"shape": ["2"], "layers": []}), "needs its shape"),
    "a shape beyond limits": (
        changed(decoder={"shape": [10**12], "layers": []}),
        "needs its shape",
    ),
    "no kind": (layer(weight=WEIGHT), "has no kind"),
    "an unknown kind": (layer(kind="magic"), "no layer of ours"),
    "no such weight": (layer(kind="linear", weight="nothing"), "not in the file"),
    "a number for a weight": (layer(kind="linear", weight=3), "not in the file"),
    "a foreign field": (layer(kind="relu", magic=1), "'magic'"),
    "a setting beyond limits": (layer(kind="upsample", size=[10**9, 1]), "whole number"),
    "a shape that does not meet": (layer(kind="linear", weight=WEIGHT), "does not fit"),
    "an opaque layer": (layer(kind="opaque", module="x"), "read before"),
    "an onnx file that is none": (layer(kind="onnx", file=WEIGHT), "lacks the ONNX file"),
    "branches that are no list": (layer(kind="sum", branches={}), "no list"),
    "a branch that is no list": (layer(kind="sum", branches=[3, []]), "no list"),
    "a list": ([], "describes no networks"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_descriptions_are_checked_to_the_last_field(tmp_path, name):
    values, word = DESCRIPTIONS[name]
    path = write(tmp_path, "weights.safetensors")
    (tmp_path / "layers.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ExplorerError, match=word):
        read_networks(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00"])
def test_what_is_no_json_is_one_sentence(tmp_path, text):
    path = write(tmp_path, "weights.safetensors")
    (tmp_path / "layers.json").write_text(text, encoding="utf-8")
    with pytest.raises(ExplorerError, match="no JSON"):
        read_networks(path)


def test_weights_alone_are_not_enough(tmp_path):
    save_file(state(), tmp_path / "weights.safetensors")
    with pytest.raises(ExplorerError, match=r"layers\.json"):
        read_networks(tmp_path / "weights.safetensors")


def test_weights_that_are_no_numbers_are_told():
    with pytest.raises(ExplorerError, match="NaN"):
        from_layers([Layer("linear", {}, {"weight": torch.full((2, 2), np.nan)})], (2,), "It")
