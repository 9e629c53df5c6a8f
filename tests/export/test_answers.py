"""What the server answers to a map that asks it to encode and decode."""

import base64
import json

import numpy as np
import pytest
import torch

from explorer.export import answers
from tests.export.test_payload import make_run


def test_server_decodes_and_encodes_what_is_asked() -> None:
    model = make_run("gaussian-pixel").model
    request = {"z": [0.1, 0.2, 0.3], "mode": "mean", "seed": 1, "number": 7}
    found = answers.answer_decode(model, request)
    assert found is not None and found["number"] == 7
    levels = np.frombuffer(base64.b64decode(found["picture"]), np.uint8) / 255 * found["top"]
    with torch.no_grad():
        mean = model.decode(torch.tensor([[0.1, 0.2, 0.3]])).mean.flatten().numpy()
    assert np.abs(levels - mean.clip(0, None)).max() < found["top"] / 255
    sample = [
        answers.answer_decode(model, {**request, "mode": "sample", "seed": s}) for s in (1, 1, 2)
    ]
    assert sample[0] == sample[1] != sample[2]
    pixels = base64.b64encode(bytes(range(64))).decode()
    code = answers.answer_encode(model, {"x": pixels, "number": 3})
    assert code is not None and len(code["mean"]) == 3
    json.dumps([found, code])


def test_server_decodes_many_points_at_once() -> None:
    model = make_run("conv").model
    points = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    found = answers.answer_batch(model, {"points": points.tolist(), "number": 4})
    assert found is not None and found["number"] == 4
    levels = np.frombuffer(base64.b64decode(found["picture"]), np.uint8) / 255 * found["top"]
    with torch.no_grad():
        mean = model.decode(points).mean.flatten().numpy()
    assert np.abs(levels - mean.clip(0, None)).max() < found["top"] / 255
    crowd = {"points": [[0.0] * 3] * (answers.MAX_BATCH + 1), "number": 5}
    assert answers.answer_batch(model, crowd) is None


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        {"z": [1], "number": 1, "seed": 1},
        {"z": "abc", "number": 1, "seed": 1},
        {"z": [float("nan")] * 3, "number": 1, "seed": 1},
        {"x": "!!", "number": 1},
        {"z": [0.0] * 3, "number": float("inf"), "seed": 1},
        {"points": [[1, 2]], "number": 1},
        {"points": [[1, 2, 3], [1]], "number": 1},
    ],
)
def test_broken_requests_are_left_unanswered(request_) -> None:
    model = make_run("mlp").model
    assert answers.answer_decode(model, request_) is None
    assert answers.answer_encode(model, request_) is None
    assert answers.answer_batch(model, request_) is None
