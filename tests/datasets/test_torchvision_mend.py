"""The mend of torchvision's import: it acts on one error only, and what it gives works."""

import importlib
import subprocess
import sys

import pytest

from explorer.datasets import torchvision_mend


def test_data_sets_can_be_imported_in_a_fresh_interpreter():
    # A process of its own: the mend is needed, if at all, at the first import only.
    code = (
        "import gc, torch\n"
        "from explorer.datasets.torchvision_mend import import_datasets\n"
        "assert import_datasets() is import_datasets()\n"
        "gc.collect()\n"
        "from torchvision.utils import make_grid\n"
        "print(make_grid(torch.zeros(4, 1, 2, 2)).shape[0], torch.ops.torchvision.nms.default)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "3 torchvision.nms.default", answer.stderr


def test_the_operators_are_declared_for_exactly_the_known_error(monkeypatch):
    answers = iter([RuntimeError(torchvision_mend.MISSING_OPERATOR), "the module"])
    acts: list[str] = []

    def import_module(name):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(torchvision_mend, "_forget", acts.append)
    monkeypatch.setattr(torchvision_mend, "_declare_operators", lambda: acts.append("declared"))
    assert torchvision_mend.import_datasets() == "the module"
    assert acts == ["torchvision", "declared"]


@pytest.mark.parametrize(
    "error", [RuntimeError("operator torchvision::roi_align does not exist"), ImportError("no")]
)
def test_any_other_error_is_passed_on(error, monkeypatch):
    def import_module(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(torchvision_mend, "_declare_operators", pytest.fail)
    with pytest.raises(type(error), match=str(error)):
        torchvision_mend.import_datasets()
