"""What a person hands over as encoder and decoder, and what it takes is found out."""

import pytest
import torch
from torch import nn

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import from_layers, open_onnx
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.opening import open_decoder, open_encoder, open_pair
from tests.models.adopted.onnx_writer import digits_decoder, digits_encoder, one_node
from tests.models.adopted.trace.networks import Convolutions, Odd, Perceptron


def shapes(found):
    return [foreign.shape for foreign in found]


def test_files_bytes_and_networks_are_taken_as_they_are(tmp_path):
    path = tmp_path / "decoder.onnx"
    path.write_bytes(digits_decoder())
    encoders, decoders = open_pair(digits_encoder(), path, (1, 8, 8))
    assert (shapes(encoders), shapes(decoders)) == ([(1, 8, 8)], [(2,)])
    assert decoders[0].where == "decoder.onnx"
    layer = Layer("linear", {}, {"weight": torch.zeros(2, 64)})
    own = from_layers([layer], (64,), "it")
    assert open_encoder(own, (1, 8, 8)) == [own] and open_decoder(own, encoders, (1, 8, 8)) == [own]


def test_open_sizes_of_a_file_are_those_of_the_images_and_the_code():
    data = one_node("GlobalAveragePool", shape=("c", "h", "w"))
    assert shapes(open_encoder(data, (3, 6, 6))) == [(3, 6, 6)]
    code = one_node("Relu", shape=("k",))
    encoders = [open_onnx(digits_encoder())]
    assert shapes(open_decoder(code, encoders, (1, 8, 8))) == [(2,)]


def test_a_callable_is_asked_what_it_takes():
    torch.manual_seed(0)
    perceptron, convolutions, odd = Perceptron(), Convolutions(), Odd()
    assert shapes(open_encoder(perceptron.encode, (1, 8, 8))) == [(1, 8, 8)]
    assert shapes(open_encoder(convolutions.encode, (3, 32, 32))) == [(3, 32, 32)]
    assert shapes(open_encoder(odd.encode, (3, 32, 32))) == [(32, 32, 3)]
    encoders, decoders = open_pair(odd.encode, odd.decode, (3, 32, 32))
    assert shapes(decoders) == [(7,)]


def test_colour_pictures_that_are_flattened_may_be_meant_in_either_layout():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    assert shapes(open_encoder(flat, (3, 4, 4))) == [(3, 4, 4), (4, 4, 3)]
    assert shapes(open_encoder(nn.Linear(48, 4), (3, 4, 4))) == [(48,)]


def test_a_code_may_be_a_picture_itself():
    class Spatial(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = nn.Conv2d(1, 8, 4, 4), nn.ConvTranspose2d(4, 1, 4, 4)

    model = Spatial()
    encoders, decoders = open_pair(model.down, model.up, (1, 8, 8))
    assert shapes(decoders) == [(4, 2, 2)]
    code = nn.ConvTranspose2d(4, 1, 8)
    heads = nn.Sequential(nn.Flatten(), nn.Linear(64, 8))
    assert shapes(open_pair(heads, code, (1, 8, 8))[1]) == [(4, 1, 1)]


def test_another_size_of_image_is_found():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 4))
    assert shapes(open_encoder(flat, (1, 28, 28))) == [(1, 32, 32)]


def test_what_fits_nothing_is_told():
    with pytest.raises(ExplorerError, match="no layout that was tried"):
        open_encoder(nn.Linear(17, 4), (1, 8, 8))
    encoders = open_encoder(nn.Linear(64, 4), (1, 8, 8))
    with pytest.raises(ExplorerError, match="takes no code"):
        open_decoder(nn.Linear(3, 64), encoders, (1, 8, 8))
