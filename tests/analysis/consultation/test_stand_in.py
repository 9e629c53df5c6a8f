"""The cure of an adopted model, tried in a network of ours: its task, and a β that it can pay."""

import pytest
import torch
from torch import nn

import explorer
from explorer.analysis.collapse.diagnose import diagnose_run
from explorer.analysis.consultation.consult import consult_run
from explorer.analysis.consultation.stand_in import STAND_IN, is_stand_in, make_stand_in
from explorer.datasets import load_dataset
from explorer.runs.store import open_run
from tests.helpers import present


class Asleep(nn.Module):
    """q is the prior and every picture the mean image, up to next to nothing."""

    def __init__(self, mean):
        super().__init__()
        self.head, self.body = nn.Linear(64, 6), nn.Linear(3, 64)
        with torch.no_grad():
            self.head.weight.mul_(1e-4)
            self.head.bias.zero_()
            self.body.weight.mul_(1e-4)
            self.body.bias.copy_(torch.logit(mean.clamp(0.01, 0.99)))

    def encode(self, x):
        return self.head(x.flatten(1)).chunk(2, dim=1)

    def decode(self, z):
        return torch.sigmoid(self.body(z)).view(-1, 1, 8, 8)


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    torch.manual_seed(0)
    x = torch.from_numpy(load_dataset("digits").images[:600].copy()).float() / 255
    model = Asleep(x.mean(0).flatten())
    run = explorer.adopt(
        tmp_path_factory.mktemp("runs") / "asleep",
        encode=model.encode,
        decode=model.decode,
        images=x,
        likelihood="bernoulli",
        beta=20.0,
        reading={"spread": "log-variance", "heads": "two outputs: mean, spread (0, 1)"},
    )
    return run, (255 * x).round().byte().numpy()


def test_a_dead_adopted_model_is_given_its_task_and_a_beta_below_the_images_thresholds(adopted):
    run, images = adopted
    found = consult_run(run, diagnose_run(run, images).to_dict())
    assert (found.kind, found.cause, len(found.asleep)) == ("adopted", "objective", 3)
    plan = present(found.prescription)
    assert plan.remedy == STAND_IN and plan.beta < min(20.0, found.thresholds.values[0])
    assert [change.name for change in plan.changes] == ["objective.beta", "stand_in"]
    model = plan.config.model
    assert (model.latent_dim, model.likelihood, model.binarise) == (3, "bernoulli", False)
    # Images that came with the model have no split of their own.
    assert plan.config.split == "all"


def test_its_training_is_known_again_whatever_its_beta(adopted):
    run, _ = adopted
    for beta in (0.5, 2.0):
        assert is_stand_in(run, present(make_stand_in(run, beta)))
    other = present(open_run("digits-cured").info.config)
    assert not is_stand_in(run, other)


def test_a_model_of_ours_needs_none():
    assert make_stand_in(open_run("digits-collapsed"), 1.0) is None
