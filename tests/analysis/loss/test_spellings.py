"""Whatever its spelling, a loss means what running it says: every piece with several others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.loss.effective import effective_loss
from explorer.analysis.loss.read import read_loss
from explorer.analysis.loss.understood import Data
from tests.analysis.loss.oracle import BATCH, LATENTS, SHAPE, make_scope, measure_ratio, run

DATA = Data(SHAPE, LATENTS, BATCH)

ERRORS = {
    "(x - x_hat) ** 2": "squared-error",
    "(x_hat - x).pow(2)": "squared-error",
    "torch.square(x - x_hat)": "squared-error",
    "F.mse_loss(x_hat, x, reduction='none')": "squared-error",
    "nn.MSELoss(reduction='none')(x_hat, x)": "squared-error",
    "(x - x_hat) * (x - x_hat)": "squared-error",
    "0.5 * ((x - x_hat) / 0.3) ** 2": "squared-error",
    "((2 * x - 1) - (2 * x_hat - 1)).pow(2)": "squared-error",
    "-Normal(x_hat, 0.3).log_prob(x)": "gaussian",
    "0.5 * (logvar_x + (x - x_hat) ** 2 / logvar_x.exp())": "gaussian-learned",
    "F.gaussian_nll_loss(x_hat, x, var_x, reduction='none')": "gaussian-learned",
    "-Normal(x_hat, std_x).log_prob(x)": "gaussian-learned",
    "torch.log(std_x) + (x - x_hat) ** 2 / (2 * std_x ** 2)": "gaussian-learned",
    "0.5 * torch.exp(-logvar_x) * (x - x_hat) ** 2 + 0.5 * logvar_x": "gaussian-learned",
    "torch.abs(x - x_hat)": "absolute-error",
    "F.l1_loss(x_hat, x, reduction='none')": "absolute-error",
    "-Laplace(x_hat, 0.2).log_prob(x)": "laplace",
    "torch.abs(x - x_hat) / std_x + torch.log(2 * std_x)": "laplace-learned",
    "F.binary_cross_entropy(p, x, reduction='none')": "bernoulli",
    "-(x * torch.log(p) + (1 - x) * torch.log(1 - p))": "bernoulli",
    "-x * torch.log(p + 1e-10) - (1 - x) * torch.log(1 - p + 1e-10)": "bernoulli",
    "-Bernoulli(p, validate_args=False).log_prob(x)": "bernoulli",
    "F.binary_cross_entropy_with_logits(logits, x, reduction='none')": "bernoulli-logits",
    "F.softplus(logits) - x * logits": "bernoulli-logits",
    "torch.clamp(logits, min=0) - logits * x + torch.log1p(torch.exp(-logits.abs()))":
        "bernoulli-logits",
    "-(x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits))": "bernoulli-logits",
    "-Bernoulli(logits=logits, validate_args=False).log_prob(x)": "bernoulli-logits",
}  # fmt: skip
OVER_PIXELS = [
    "({}).sum()", "({}).mean()", "({}).sum() / x.size(0)", "({}).sum([1, 2, 3]).mean()",
    "({}).sum(dim=(1, 2, 3)).sum()", "({}).flatten(1).sum(1).mean()",
    "({}).view(x.shape[0], -1).mean(1).sum()", "torch.mean(torch.sum({}, dim=[1, 2, 3]))",
    "({}).mean(0).sum()", "({}).sum() / x.numel()", "({}).mean() * x[0].numel()",
    "({}).mean() * 24", "({}).sum((2, 3)).mean()", "({}).mean([2, 3]).sum(1).mean(0)",
    "torch.sum({}) / batch_size", "({}).reshape(len(x), -1).sum(-1).mean()",
    "({}).sum(3).sum(2).sum(1).mean()", "torch.sum({}) / x.shape[2] / x.shape[3]",
    "({}).view(-1, 24).sum(dim=-1).mean(dim=0)", "torch.flatten({}, start_dim=1).sum(1).mean()",
    "({}).sum(tuple(range(1, x.ndim))).mean()", "({}).sum(list(range(1, len(x.shape)))).mean()",
]  # fmt: skip
DIVERGENCES = {
    "-0.5 * (1 + logvar - mu.pow(2) - logvar.exp())": "kl",
    "(1 + logvar - torch.square(mu) - torch.exp(logvar)) * -0.5": "kl",
    "(mu.pow(2) + logvar.exp() - 1 - logvar) / 2": "kl",
    "0.5 * (mu ** 2 + std ** 2 - torch.log(std ** 2) - 1)": "kl",
    "-torch.log(std) + 0.5 * (std ** 2 + mu ** 2) - 0.5": "kl",
    "torch.log(1 / std) + (std ** 2 + mu ** 2) / 2 - 1 / 2": "kl",
    "0.5 * (mu.square() + var - 1 - var.log())": "kl",
    "-1 / 2 * (1 + torch.log(var + 1e-8) - mu ** 2 - var)": "kl",
    "0.5 * (torch.exp(2 * log_std) + mu ** 2 - 1 - 2 * log_std)": "kl",
    "-(0.5 + log_std - 0.5 * mu ** 2 - 0.5 * torch.exp(log_std) ** 2)": "kl",
    "0.5 * (mu * mu + torch.expm1(logvar) - logvar)": "kl",
    "mu.pow(2) + logvar.exp() - 1 - logvar": "kl",
    "kl_divergence(Normal(mu, std), Normal(0, 1))": "kl",
    "kl_divergence(Normal(mu, std), Normal(torch.zeros_like(mu), torch.ones_like(std)))": "kl",
    "mu.pow(2).add_(logvar.exp()).mul(-1).add(1).add(logvar).mul(-0.5)": "kl",
    "Normal(mu, std).log_prob(z) - Normal(0.0, 1.0).log_prob(z)": "kl-sampled",
    "0.5 * (z ** 2 - logvar - (z - mu) ** 2 / logvar.exp())": "kl-sampled",
}
OVER_LATENTS = [
    "({}).sum()", "({}).mean()", "({}).sum(1).mean()", "({}).sum(-1).mean(0)",
    "torch.mean(torch.sum({}, dim=1), dim=0)", "({}).mean(1).sum()", "({}).sum() / x.size(0)",
    "({}).mean(dim=0).sum()", "({}).sum() / (len(x) * mu.shape[1])", "({}).sum() / x.numel()",
    "({}).sum(dim=1).mean() / 24", "torch.sum({}, axis=-1).sum() / batch_size",
]  # fmt: skip
SUMS = [
    "loss = {r} + {k}", "loss = 3 * {r} + {k} / 7", "elbo = -({r}) - 0.1 * {k}\nloss = -elbo",
    "loss = (1 - 0.3) * {r} + 0.3 * {k}", "alpha = 0.9\nloss = alpha * {r} + (1 - alpha) * {k}",
    "beta = 4.0\nrec = {r}\nkl = {k}\nloss = rec + beta * kl",
    "rec = {r}\nrec *= 2\nkl = {k}\nkl = kl / 3\nloss = torch.add(rec, kl)",
    "kld_loss = {k}\nrecon_loss = {r}\nloss = recon_loss + 1e-3 * kld_loss",
    "loss = sum([{r}, {k}])", "loss = torch.stack([{r}, 2.0 * {k}]).sum()",
]  # fmt: skip


def check(error, over_pixels, divergence, over_latents, whole):
    """The reader's b/a is the one that the loss has when it is run."""
    kind, kl = ERRORS[error], DIVERGENCES[divergence]
    text = whole.format(r=over_pixels.format(error), k=over_latents.format(divergence))
    scope = {**make_scope(), "batch_size": BATCH}
    measured = measure_ratio(run(text, scope), kind, kl, scope)
    found = read_loss(text, DATA)
    assert (found.reconstruction, found.kl.replace("-without-half", "")) == (kind, kl), text
    meaning = effective_loss(found, DATA)
    ratio = next(v for v in (meaning.beta, meaning.sigma2, meaning.scale) if v is not None)
    unit = {"gaussian": 0.3**2, "laplace": 0.2}.get(kind, 1.0)
    assert ratio * unit == pytest.approx(measured, rel=1e-6), text


def pairs(items, *others):
    """Yield each item once with others in turn, so that all of them come up."""
    return [
        (item, *(other[place % len(other)] for other in others)) for place, item in enumerate(items)
    ]


@pytest.mark.parametrize("error, over, whole", pairs(list(ERRORS), OVER_PIXELS, SUMS))
def test_likelihoods(error, over, whole):
    check(error, over, next(iter(DIVERGENCES)), "({}).sum(1).mean()", whole)


@pytest.mark.parametrize("over, error", pairs(OVER_PIXELS, list(ERRORS)[::-1]))
def test_sums_and_means_over_pixels(over, error):
    check(error, over, next(iter(DIVERGENCES)), "({}).sum()", SUMS[0])


@pytest.mark.parametrize("divergence, over, whole", pairs(list(DIVERGENCES), OVER_LATENTS, SUMS))
def test_divergences(divergence, over, whole):
    check("(x - x_hat) ** 2", "({}).mean()", divergence, over, whole)


@pytest.mark.parametrize("over, divergence", pairs(OVER_LATENTS, list(DIVERGENCES)[::-1]))
def test_sums_and_means_over_latents(over, divergence):
    check("F.softplus(logits) - x * logits", "({}).mean()", divergence, over, SUMS[1])


@given(
    st.sampled_from(list(ERRORS)), st.sampled_from(OVER_PIXELS),
    st.sampled_from(list(DIVERGENCES)), st.sampled_from(OVER_LATENTS), st.sampled_from(SUMS),
)  # fmt: skip
def test_any_combination(error, over_pixels, divergence, over_latents, whole):
    check(error, over_pixels, divergence, over_latents, whole)


@pytest.mark.filterwarnings("ignore:size_average and reduce")
@pytest.mark.parametrize(
    "line, right",
    [
        ("rec = F.mse_loss(x_hat, x, size_average=False)", 0.5),
        ("rec = F.mse_loss(x_hat, x, reduce=False).sum()", 0.5),
        ("rec = nn.MSELoss(reduction='sum')(x_hat, x)", 0.5),
        ("rec = torch.norm(x_hat - x) ** 2", 0.5),
        ("rec = (x_hat - x).norm(p=1)", 1.0),
        ("rec = torch.add(0 * x.sum(), ((x_hat - x) ** 2).sum(), alpha=3) / 3", 0.5),
        ("parts = {'a': ((x_hat - x) ** 2).sum(), 'b': 0.0}\nrec = sum(parts.values())", 0.5),
        ("parts = {'a': ((x_hat - x) ** 2).sum()}\nw = {'a': 2.0}\n"
         "rec = sum(w[k] * v for k, v in parts.items()) / 2", 0.5),
        ("mask = torch.ones_like(x)\nrec = (mask * (x_hat - x) ** 2).sum()", 0.5),
        ("how = 'sum'\nrec = F.mse_loss(x_hat, x, reduction=how)", 0.5),
        ("def rec_of(a, b, how='sum'):\n    return F.mse_loss(a, b, reduction=how)\n"
         "rec = rec_of(x_hat, x)", 0.5),
        ("crit = lambda a, b: ((a - b) ** 2).sum()\nrec = crit(x_hat, x)", 0.5),
        ("rec = sum(F.mse_loss(a, b, reduction='sum') for a, b in [(x_hat, x)])", 0.5),
    ],
)  # fmt: skip
def test_older_and_roundabout_spellings(line, right):
    text = line + "\nloss = rec - 0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp())"
    scope = make_scope()
    kind = "absolute-error" if right == 1 else "squared-error"
    measured = measure_ratio(run(text, scope), kind, "kl", scope)
    meaning = effective_loss(read_loss(text, DATA), DATA)
    assert measured == pytest.approx(right)
    assert (meaning.scale if right == 1 else meaning.sigma2) == pytest.approx(right)
