"""ONNX files as data: what they hold is read, and what is no plain forward pass is refused."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import open_onnx
from explorer.models.adopted.onnx.file import read_onnx
from tests.models.adopted.onnx_writer import (
    digits_encoder,
    digits_model,
    field,
    graph,
    info,
    model,
    node,
    one_node,
    refused,
    tensor,
    through,
)

REFUSED = refused()
ENCODER = digits_encoder()


def test_the_digits_encoder_is_read_as_it_was_written():
    file = read_onnx(ENCODER)
    assert (file.input_name, file.input_shape) == ("x", (None, 1, 8, 8))
    assert file.outputs == ("mean", "logvar") and file.output_shapes == ((None, 2), (None, 2))
    assert file.opset == 17
    first = digits_model().encoder[1]
    np.testing.assert_array_equal(file.weights["ew0"].numpy(), first.weight.detach().numpy())
    gemm = next(one for one in file.nodes if one.operator == "Gemm")
    assert gemm.inputs == ("flat", "ew0", "eb0") and gemm.attributes == {"transB": 1}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_weights_of_any_float_become_float32(dtype):
    values = np.array([0.5, -2.0, 1024.0], dtype)
    read = read_onnx(one_node("Add", [("w", values)], shape=(3,))).weights["w"]
    assert str(read.dtype) == "torch.float32" and read.tolist() == [0.5, -2.0, 1024.0]


def test_weights_may_stand_one_by_one_in_place_of_bytes():
    packed = np.array([1.5, 2.5], "<f4").tobytes()
    floats = field(1, 2) + field(2, 1) + field(4, packed) + field(8, "w")
    wholes = field(1, 2) + field(2, 7) + field(7, 3) + field(7, -4) + field(8, "k")
    halves = field(1, 1) + field(2, 10) + field(5, 0x3E00) + field(8, "h")
    brain = field(1, 1) + field(2, 16) + field(5, 0x3FC0) + field(8, "b")
    add = [node("Add", ["x", "w"], ["y"])]
    inner = graph(
        add, [floats, wholes, halves, brain], [info("x", ["n", 2])], [info("y", ["n", 2])]
    )
    weights = read_onnx(model(inner)).weights
    assert weights["w"].tolist() == [1.5, 2.5] and weights["k"].tolist() == [3, -4]
    assert weights["h"].item() == 1.5 and weights["b"].item() == 1.5


def test_older_files_list_their_weights_among_the_inputs():
    add = [node("Add", ["x", "w"], ["y"])]
    inputs = [info("x", ["n", 2]), info("w", [2])]
    inner = graph(add, [tensor("w", np.ones(2, np.float32))], inputs, [info("y", ["n", 2])])
    assert read_onnx(model(inner)).input_name == "x"


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_forward_pass_is_refused_in_one_sentence(name):
    data, word = REFUSED[name]
    with pytest.raises(ExplorerError, match=word) as caught:
        open_onnx(data, where="enc.onnx")
    sentence = str(caught.value)
    assert sentence.endswith(".") and ". " not in sentence and "\n" not in sentence


MEASURED = """
import resource, sys
from pathlib import Path
from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import open_onnx

def peak():
    try:
        # Of this program alone: what getrusage tells on Linux counts the one that started it too.
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except FileNotFoundError:
        found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return found // 1024 if sys.platform == "darwin" else found

before = peak()
for path in Path(sys.argv[1]).glob("*.onnx"):
    try:
        open_onnx(path)
    except ExplorerError:
        continue
    print("read", path)
print(before, peak() - before)
"""


def test_refusals_take_little_memory_and_leave_no_trace(tmp_path):
    """Growth and expansion would take gigabytes: they take 300 MB, and below 1 GB with torch."""
    for index, (data, _) in enumerate(REFUSED.values()):
        (tmp_path / f"{index}.onnx").write_bytes(data)
    answer = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    imports, more = map(int, answer.stdout.split())
    assert more < 300_000 and imports + more < 1_000_000
    assert len(list(tmp_path.iterdir())) == len(REFUSED)


@pytest.mark.parametrize("length", range(0, len(ENCODER), 9973))
def test_a_file_cut_anywhere_is_refused(length):
    with pytest.raises(ExplorerError):
        open_onnx(ENCODER[:length])


@given(st.integers(0, len(ENCODER) - 1), st.integers(0, 255))
def test_a_changed_byte_gives_a_network_or_one_error(place, byte):
    data = bytearray(ENCODER)
    data[place] = byte
    try:
        open_onnx(bytes(data))
    except ExplorerError as error:
        assert "\n" not in str(error)


def test_a_file_on_disk_is_read_as_its_bytes_are(tmp_path):
    path = tmp_path / "encoder.onnx"
    path.write_bytes(ENCODER)
    mapped, read = read_onnx(path), read_onnx(ENCODER)
    assert mapped.nodes == read.nodes
    path.write_bytes(bytes(len(ENCODER)))  # Weights are copies: the file may change.
    np.testing.assert_array_equal(mapped.weights["ew0"].numpy(), read.weights["ew0"].numpy())
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(ExplorerError, match="no ONNX file"):
        read_onnx(tmp_path / "empty.onnx")


def test_names_are_quoted_without_characters_of_control():
    with pytest.raises(ExplorerError) as caught:
        open_onnx(one_node("Evil\x1b[31m" + "x" * 80))
    assert "\x1b" not in str(caught.value) and "…" in str(caught.value)


def test_arrays_are_made_once_and_before_they_are_used():
    twice = [node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["y"])]
    early = [node("Relu", ["later"], ["y"]), node("Tanh", ["x"], ["later"])]
    for nodes in (twice, early):
        with pytest.raises(ExplorerError, match="damaged"):
            read_onnx(through(nodes, [], (2,)))
