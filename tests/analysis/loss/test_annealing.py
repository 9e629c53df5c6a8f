"""A weight that changes while training counts as what it ends at; free bits and capacity."""

import pytest

from explorer.analysis.loss.effective import effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.understood import Data

DATA = Data((1, 28, 28), 20, 64)
PARTS = """
kl = (-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), 1)).mean()
rec = F.binary_cross_entropy_with_logits(logits, x, reduction='sum') / len(x)
"""


@pytest.mark.parametrize(
    "lines, beta, kind",
    [
        ("w = min(1.0, epoch / 10)", 1.0, "warm-up"),
        ("w = 4 * min(1.0, epoch / warmup_epochs)", 4.0, "warm-up"),
        ("w = min(0.5, step * 1e-5)", 0.5, "warm-up"),
        ("w = np.clip((step - 1000) / 5000, 0, 0.5)", 0.5, "warm-up"),
        ("w = float(1 / (1 + np.exp(-k * (step - x0))))", 1.0, "warm-up"),
        ("w = (math.tanh((step - 3500) / 1000) + 1) / 2", 1.0, "warm-up"),
        ("w = 1 - 0.99 ** step", 1.0, "warm-up"),
        ("w = 1 - math.exp(-step / 1000)", 1.0, "warm-up"),
        ("w = 0 if epoch < 5 else 2.0", 2.0, "warm-up"),
        ("if epoch < 10:\n    w = epoch / 10\nelse:\n    w = 0.25", 0.25, "warm-up"),
        ("w = linear_annealing(0, 1, step, 1000) * 4", 4.0, "warm-up"),
        ("w = max(0.1, min(1.0, step / 1000))", 1.0, "warm-up"),
        ("def weight(step):\n    return min(1.0, step / 1e4) * 0.1\nw = weight(global_step)",
         0.1, "warm-up"),
        ("w = min(1, (step % period) / (0.5 * period))", 1.0, "cyclical"),
        ("schedule = frange_cycle_linear(n_iter)\nw = schedule[step]", 1.0, "cyclical"),
        ("step = 0\nstep += 1\nw = min(1.0, step / 10)", 1.0, "warm-up"),
        ("w = 0.3", 0.3, "none"),
    ],
)  # fmt: skip
def test_the_weight_is_that_at_the_end(lines, beta, kind):
    found = read_loss(f"{PARTS}{lines}\nloss = rec + w * kl", DATA)
    assert found.annealing == kind
    meaning = effective_loss(found, DATA)
    assert meaning.beta == pytest.approx(beta)
    note = {"warm-up": "annealed", "cyclical": "cyclical"}.get(kind)
    assert (note in meaning.notes) == (kind != "none")


@pytest.mark.parametrize("line", ["w = step / 1000", "w = min(self.max_beta, step / 1000)"])
def test_a_weight_without_a_known_end_is_asked_for(line):
    meaning = effective_loss(read_loss(f"{PARTS}{line}\nloss = rec + w * kl", DATA), DATA)
    assert (meaning.beta, meaning.asks) == (None, ("kl_weight",))
    found = read_loss(f"{PARTS}{line}\nloss = rec + w * kl", DATA, {"max_beta": 2.0})
    assert effective_loss(found, DATA).beta == (2.0 if "max_beta" in line else None)


@pytest.mark.parametrize(
    "line, floor",
    [
        ("loss = rec + torch.max(kl, torch.tensor(3.0))", "free_bits"),
        ("loss = rec + torch.clamp(kl, min=3.0)", "free_bits"),
        (
            "per = (-0.5 * (1 + logvar - mu.pow(2) - logvar.exp())).mean(0)\n"
            "loss = rec + torch.clamp(per, min=0.25).sum()",
            "free_bits",
        ),
        ("loss = rec + (kl - 25).abs()", "capacity"),
        ("C = min(25, 25 * step / 1e5)\nloss = rec + (kl - C).abs()", "capacity"),
        ("logvar = torch.clamp(logvar, -10, 10)\nloss = rec + kl", "none"),
    ],
)
def test_floors_and_capacities_are_told(line, floor):
    found = read_loss(PARTS + line, DATA)
    meaning = effective_loss(found, DATA)
    assert (found.floor, meaning.beta) == (floor, 1.0)
    assert (floor in meaning.notes) == (floor != "none")
