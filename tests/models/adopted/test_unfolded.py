"""A network by the names of its state_dict: other weights take the places of those it came with."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import open_callable
from explorer.models.adopted.originals import describe_constant, read_constant
from explorer.models.adopted.question import Fit
from explorer.models.adopted.reading import Cut, Reading
from explorer.models.adopted.unfolded import check_told, describe_original
from explorer.models.adopted.weights import explain_file, read_foreign, save_networks
from tests.helpers import present
from tests.models.adopted.trace.networks import unsettle

IMAGE = (1, 8, 8)
READING = Reading("NCHW", 2.0, -1.0, "output 0, output 1", Cut(0, 3), Cut(3, 6), "log-variance")


class TwoHeads(nn.Module):
    """Convolutions with batch norm and two linear heads, as most people write them."""

    def __init__(self):
        super().__init__()
        # As in many a file, what is made first is not what is run first.
        self.fc_logvar, self.fc_mean = nn.Linear(64, 3), nn.Linear(64, 3)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()
        )
        self.decoder = nn.Sequential(
            nn.Linear(3, 64),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Unflatten(1, (4, 4, 4)),
            nn.ConvTranspose2d(4, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def encode(self, x):
        h = self.encoder(x)
        return self.fc_mean(h), self.fc_logvar(h) / 2

    def decode(self, z):
        return self.decoder(z)


def vae(seed):
    torch.manual_seed(seed)
    return unsettle(TwoHeads()).eval()


def fit(encode, decode):
    """Return a pair as it was drawn; nothing of its reading matters but what is kept."""
    encoder = open_callable(encode, IMAGE, "the encoder")
    decoder = open_callable(decode, (3,), "the decoder")
    return Fit(READING, encoder, decoder, IMAGE, (-1, 1), None, 0.1, 0.0, None, None, 1.0, 1.0)


def keep(folder, encode, decode):
    """Write layers.json and the checkpoint beside it as adopt does."""
    found = fit(encode, decode)
    save_networks(folder, found.encoder.network, found.decoder.network, describe_original(found))
    return folder / "layers.json"


def outputs(network, x):
    """Return what a drawn network gives, by the names of its outputs."""
    row = network.network(x)
    return {part.name: row[:, part.start : part.stop] for part in network.segments}


def check(found, model):
    """Compare networks that were read with the module whose weights they have."""
    x, z = torch.rand((5, *IMAGE)), torch.randn((5, 3))
    with torch.no_grad():
        mean, logvar = model.encode(x)
        picture = model.decode(z)
    encoded, decoded = outputs(found[0], x), outputs(found[1], z)
    torch.testing.assert_close(encoded["0"], mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoded["1"], logvar, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(decoded["output"], picture.flatten(1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("front", ["", "module.", "model.vae."])
def test_another_state_dict_takes_the_place_of_the_first(tmp_path, front):
    """Batch norms, two heads and a constant; behind whatever a trainer put before all names."""
    first = vae(0)
    layers = keep(tmp_path, first.encode, first.decode)
    other = vae(1)
    state = {f"{front}{name}": tensor for name, tensor in other.state_dict().items()}
    torch.save(state | {"classifier.weight": torch.ones(2, 2)}, tmp_path / "other.pt")
    check(read_foreign(tmp_path / "other.pt", layers), other)
    note, told = explain_file(tmp_path / "other.pt", layers)
    assert note == "" and told["scale"] == 2 and told["spread"] == "log-variance"


def test_parts_that_are_no_methods_are_told_apart_by_their_names(tmp_path):
    """Both have a "0.weight" of their own."""
    parts = nn.ModuleDict(
        {
            "encoder": nn.Sequential(nn.Flatten(), nn.Linear(64, 6)),
            "decoder": nn.Sequential(nn.Identity(), nn.Linear(3, 64)),
        }
    )
    layers = keep(tmp_path, parts["encoder"], parts["decoder"])
    other = {name: torch.randn_like(tensor) for name, tensor in parts.state_dict().items()}
    save_file(other, tmp_path / "other.safetensors")
    encoder, decoder = read_foreign(tmp_path / "other.safetensors", layers)
    x, z = torch.rand((2, *IMAGE)), torch.randn((2, 3))
    parts.load_state_dict(other)
    torch.testing.assert_close(encoder.network(x), parts["encoder"](x))
    torch.testing.assert_close(decoder.network(z), parts["decoder"](z))


def test_adopts_own_checkpoint_is_read_as_before(tmp_path):
    model = vae(0)
    layers = keep(tmp_path, model.encode, model.decode)
    encoder, _ = read_foreign(tmp_path / "checkpoint.safetensors", layers)
    x = torch.rand((2, *IMAGE))
    with torch.no_grad():
        expected = torch.cat(model.encode(x), 1)
    torch.testing.assert_close(encoder.network(x), expected, rtol=1e-4, atol=1e-5)
    assert explain_file(tmp_path / "checkpoint.safetensors", layers) == ("", None)


def normed():
    return nn.Sequential(nn.Flatten(), weight_norm(nn.Linear(64, 6)))


def turned():
    weight = nn.Parameter(torch.randn(64, 6))

    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = weight

        def forward(self, x):
            return nn.functional.linear(x.flatten(1), self.weight.T)

    return Turned()


def large():
    constant = torch.randn(64, 400)
    return lambda x: nn.functional.linear((x.flatten(1) @ constant), torch.ones(6, 400))


@pytest.mark.parametrize("make", [normed, turned, large])
def test_weights_that_are_computed_before_they_are_used_have_no_place(make):
    """Other weights put there would give another network than theirs."""
    assert describe_original(fit(make(), vae(0).decode)) is None


def test_constants_come_back_bit_by_bit():
    for tensor in (torch.tensor(1 / 3), torch.randn(2, 3), torch.tensor([1e-30, -7e30])):
        again = read_constant(json.loads(json.dumps(describe_constant(tensor))))
        assert torch.equal(present(again), tensor)


@pytest.mark.parametrize(
    "value",
    [
        3,
        {"values": [1.0]},
        {"values": [1.0], "shape": [2]},
        {"values": [], "shape": [0]},
        {"values": ["1"], "shape": [1]},
        {"values": [True], "shape": []},
        {"values": [1.0], "shape": [1] * 7},
    ],
)
def test_what_is_no_constant_is_none(value):
    assert read_constant(value) is None


@pytest.mark.parametrize(
    "told",
    [
        {"spread": "magic"},
        {"layout": ["NCHW"]},
        {"scale": "two"},
        {"scale": [float("inf")]},
        {"heads": 3},
        {"magic": 1},
    ],
)
def test_a_reading_that_nobody_could_mean_is_refused(told):
    with pytest.raises(ExplorerError, match="write it as adopt does"):
        check_told(told, "layers.json")


def test_outputs_that_do_not_fill_the_row_are_refused(tmp_path):
    first = vae(0)
    layers = keep(tmp_path, first.encode, first.decode)
    values = json.loads(layers.read_text(encoding="utf-8"))
    values["original"]["encoder"]["outputs"][0]["shape"] = [4]
    layers.write_text(json.dumps(values), encoding="utf-8")
    save_file(vae(1).state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(ExplorerError, match="puts out 6 values"):
        read_foreign(tmp_path / "other.safetensors", layers)
