"""Losses as they stand in public code, in our own words, with the β that each one means.

Every value is derived by hand in `why`, from the loss' own reductions and the data's sizes; the
torch ones are run besides (`call` makes the loss from the paste's names).
"""

from dataclasses import dataclass, field

from explorer.analysis.loss.understood import Data

MNIST = Data((1, 28, 28), 20, 128)
FACES = Data((3, 64, 64), 128, 64)
SMALL = Data((3, 4, 2), 6, 5)
"""The tensors of `oracle.make_scope`."""


@dataclass(frozen=True)
class Case:
    """A paste; with `data` it means β = `ratio`, in units of ½e² for bare squared errors."""

    name: str
    text: str
    data: Data
    ratio: float
    why: str
    kind: str = "squared-error"
    kl: str = "kl"
    values: dict = field(default_factory=dict)
    run: str = ""
    """Code that makes `loss` with the oracle's names, where torch can; PASTE is the text."""


TORCH = [
    Case(
        "pytorch-vae",
        """
def loss_function(self, *args, **kwargs):
    recons, input, mu, log_var = args[0], args[1], args[2], args[3]
    kld_weight = kwargs["M_N"]
    recons_loss = F.mse_loss(recons, input)
    kld_loss = torch.mean(
        -0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=1), dim=0)
    loss = recons_loss + kld_weight * kld_loss
    return {"loss": loss, "Reconstruction_Loss": recons_loss.detach(), "KLD": -kld_loss.detach()}
""",
        FACES, 1.536, "a = 1/(B·12288), b = .00025/B: σ² = .00025·12288/2",
        values={"kld_weight": 0.00025},
        run='PASTE\nloss = loss_function(None, x_hat, x, mu, logvar, M_N=0.00025)["loss"]',
    ),
    Case(
        "pytorch-vae beta",
        """
class BetaVAE(nn.Module):
    def __init__(self, in_channels, latent_dim, beta=4, gamma=1000.0, loss_type="H"):
        super().__init__()
        self.beta = beta
        self.gamma = gamma
        self.loss_type = loss_type

    def loss_function(self, *args, **kwargs):
        recons, input, mu, log_var = args
        kld_weight = kwargs["M_N"]
        recons_loss = F.mse_loss(recons, input)
        kld_loss = torch.mean(
            -0.5 * torch.sum(1 + log_var - mu ** 2 - log_var.exp(), dim=1), dim=0)
        if self.loss_type == "H":
            loss = recons_loss + self.beta * kld_weight * kld_loss
        elif self.loss_type == "B":
            C = torch.clamp(self.C_max / self.C_stop_iter * self.num_iter, 0, self.C_max.data[0])
            loss = recons_loss + self.gamma * kld_weight * (kld_loss - C).abs()
        return {"loss": loss}
""",
        FACES, 6.144, "as above, four times: beta is 4 and loss_type H by default",
        values={"kld_weight": 0.00025},
        run='PASTE\nloss = BetaVAE(3, 6).loss_function(x_hat, x, mu, logvar, M_N=0.00025)["loss"]',
    ),
    Case(
        "pytorch/examples",
        """
def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 784), reduction='sum')
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD
""",
        MNIST, 1.0, "both summed over everything", kind="bernoulli",
    ),
    Case(
        "pytorch/examples before 2017",
        """
def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x)
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    KLD /= x.size(0) * 784
    return BCE + KLD
""",
        MNIST, 1.0, "mean over B·784 beside a sum over B·784", kind="bernoulli",
    ),
    Case(
        "lightning-bolts",
        """
z, x_hat, p, q = self._run_step(x)
recon_loss = F.mse_loss(x_hat, x, reduction="mean")
kl = torch.distributions.kl_divergence(q, p)
kl = kl.mean()
kl *= self.kl_coeff
loss = kl + recon_loss
""",
        Data((3, 32, 32), 256, 256), 0.1 / 256 * 3072 / 2,
        "a = 1/(B·3072), b = .1/(B·256): σ² = .1·3072/(2·256)", values={"kl_coeff": 0.1},
        run="""
q, p = Normal(mu, std), Normal(0.0, 1.0)
loss = F.mse_loss(x_hat, x) + 0.1 * kl_divergence(q, p).mean()
""",
    ),
    Case(
        "lightning-bolts before 2020",
        """
log_qz = q.log_prob(z)
log_pz = p.log_prob(z)
kl = log_qz - log_pz
kl = kl.mean()
kl *= 0.1
recon_loss = F.mse_loss(x_hat, x, reduction="mean")
loss = kl + recon_loss
""",
        SMALL, 0.1 / 6 * 24 / 2, "sampled, else the same", kl="kl-sampled",
        run="""
q, p = Normal(mu, std), Normal(0.0, 1.0)
loss = F.mse_loss(x_hat, x) + 0.1 * (q.log_prob(z) - p.log_prob(z)).mean()
""",
    ),
    Case(
        "disentangling-vae",
        """
def _reconstruction_loss(data, recon_data, distribution="bernoulli", storer=None):
    batch_size, n_chan, height, width = recon_data.size()
    if distribution == "bernoulli":
        loss = F.binary_cross_entropy(recon_data, data, reduction="sum")
    elif distribution == "gaussian":
        loss = F.mse_loss(recon_data * 255, data * 255, reduction="sum") / 255
    else:
        raise ValueError(distribution)
    loss = loss / batch_size
    if storer is not None:
        storer["recon_loss"].append(loss.item())
    return loss

def _kl_normal_loss(mean, logvar, storer=None):
    latent_dim = mean.size(1)
    latent_kl = 0.5 * (-1 - logvar + mean.pow(2) + logvar.exp()).mean(dim=0)
    total_kl = latent_kl.sum()
    if storer is not None:
        for i in range(latent_dim):
            storer["kl_loss_" + str(i)].append(latent_kl[i].item())
    return total_kl

class BetaHLoss:
    def __init__(self, beta=4, steps_anneal=0):
        self.beta = beta
        self.steps_anneal = steps_anneal
        self.n_train_steps = 0

    def __call__(self, data, recon_data, latent_dist, is_train, storer=None):
        rec_loss = _reconstruction_loss(data, recon_data, storer=storer, distribution="bernoulli")
        kl_loss = _kl_normal_loss(*latent_dist, storer)
        anneal_reg = (linear_annealing(0, 1, self.n_train_steps, self.steps_anneal)
                      if is_train else 1)
        return rec_loss + anneal_reg * (self.beta * kl_loss)
""",
        FACES, 4.0, "sum over pixels and latents, both over B, beta 4", kind="bernoulli",
        run="""PASTE
def linear_annealing(first, last, step, steps):
    return last
loss = BetaHLoss()(x, p, (mu, logvar), True)
""",
    ),
    Case(
        "disentangling-vae gaussian",
        """
rec = F.mse_loss(recon_data * 255, data * 255, reduction="sum") / 255 / len(data)
kl = 0.5 * (-1 - logvar + mu.pow(2) + logvar.exp()).mean(dim=0).sum()
loss = rec + 4 * kl
""",
        FACES, 4 / (2 * 255), "255²·e²/255 = 255·e²: σ² = 4/(2·255)",
        run="recon_data, data = x_hat, x\nPASTE",
    ),
    Case(
        "Sentence-VAE",
        """
NLL = torch.nn.NLLLoss(ignore_index=0, reduction="sum")

def kl_anneal_function(anneal_function, step, k, x0):
    if anneal_function == "logistic":
        return float(1 / (1 + np.exp(-k * (step - x0))))
    elif anneal_function == "linear":
        return min(1, step / x0)

def loss_fn(logp, target, length, mean, logv, anneal_function, step, k, x0):
    target = target[:, :torch.max(length).item()].contiguous().view(-1)
    logp = logp.view(-1, logp.size(2))
    NLL_loss = NLL(logp, target)
    KL_loss = -0.5 * torch.sum(1 + logv - mean.pow(2) - logv.exp())
    KL_weight = kl_anneal_function(anneal_function, step, k, x0)
    return NLL_loss, KL_loss, KL_weight

NLL_loss, KL_loss, KL_weight = loss_fn(
    logp, batch["target"], batch["length"], mean, logv, "logistic", step, 0.0025, 2500)
loss = (NLL_loss + KL_weight * KL_loss) / batch_size
""",
        Data((60,), 16, 32), 1.0, "sums over tokens and latents; the logistic ends at 1",
        kind="categorical",
    ),
    Case(
        "σ-VAE",
        """
def gaussian_nll(mu, log_sigma, x):
    return 0.5 * torch.pow((x - mu) / log_sigma.exp(), 2) + log_sigma + 0.5 * np.log(2 * np.pi)

log_sigma = ((x - x_hat) ** 2).mean([0, 1, 2, 3], keepdim=True).sqrt().log()
rec = gaussian_nll(x_hat, log_sigma, x).sum()
kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
loss = rec + kl
""",
        FACES, 1.0, "½D·log MSE and KL, both in nats", kind="gaussian-optimal",
    ),
    Case(
        "latent diffusion, pixels alone",
        """
rec_loss = torch.abs(inputs.contiguous() - reconstructions.contiguous())
nll_loss = rec_loss / torch.exp(self.logvar) + self.logvar
nll_loss = torch.sum(nll_loss) / nll_loss.shape[0]
kl_loss = posteriors.kl()
kl_loss = torch.sum(kl_loss) / kl_loss.shape[0]
loss = nll_loss + self.kl_weight * kl_loss
""",
        Data((3, 256, 256), (4, 32, 32), 8), 1e-6, "a Laplace with learned b; both summed, over B",
        kind="laplace-learned", values={"kl_weight": 1e-6},
    ),
    Case(
        "Mult-VAE",
        """
BCE = -torch.mean(torch.sum(F.log_softmax(recon_x, 1) * x, -1))
KLD = -0.5 * torch.mean(torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1))
loss = BCE + anneal * KLD
""",
        Data((500,), 20, 50), 0.2, "a multinomial in nats; anneal stops at .2",
        kind="categorical", values={"anneal": 0.2},
    ),
    Case(
        "scVI",
        """
kl_divergence_z = kl(Normal(qz_m, torch.sqrt(qz_v)), Normal(torch.zeros_like(qz_m),
                     torch.ones_like(qz_v))).sum(dim=1)
reconst_loss = -px.log_prob(x).sum(-1)
loss = torch.mean(reconst_loss + kl_weight * kl_divergence_z)
""",
        Data((2000,), 10, 128), 1.0, "a likelihood and a KL in nats", kind="log-likelihood",
        values={"kl_weight": 1.0},
    ),
    Case(
        "mean versus sum",
        """
recon = F.mse_loss(x_hat, x)
kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - torch.exp(logvar), dim=1).mean()
loss = recon + kl
""",
        Data((3, 32, 32), 256, 40), 1536.0, "3072/2",
        run="PASTE",
    ),
    Case(
        "hand-written Gaussian",
        """
sigma = 0.1
recon = ((x - x_hat) ** 2).sum(dim=(1, 2, 3)) / (2 * sigma ** 2)
kl = 0.5 * (mu ** 2 + std ** 2 - 2 * torch.log(std) - 1).sum(1)
loss = (recon + 3 * kl).mean()
""",
        SMALL, 3.0, "the ½ and σ² are there: β is the 3", kind="gaussian", run="PASTE",
    ),
    Case(
        "an ELBO to be maximised",
        """
log_px = -F.binary_cross_entropy_with_logits(logits, x, reduction='none').sum([1, 2, 3])
log_pz = Normal(0.0, 1.0).log_prob(z).sum(1)
log_qz = Normal(mu, std).log_prob(z).sum(1)
elbo = (log_px + log_pz - log_qz).mean()
loss = -elbo
""",
        SMALL, 1.0, "log p(x|z) + log p(z) − log q(z)", kind="bernoulli-logits", kl="kl-sampled",
        run="PASTE",
    ),
]  # fmt: skip
