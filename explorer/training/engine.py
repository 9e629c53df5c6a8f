"""One training step, fast: the whole data set as bytes in memory, no loader, fused Adam."""

import math

import numpy as np
import torch
from torch import Tensor

from explorer.codes import Array
from explorer.config import LIKELIHOODS, Config, ObjectiveConfig
from explorer.elbo.terms import Terms, choose_objective, draw_noise, reparameterise
from explorer.models import build_model
from explorer.models.networks import halve_products
from explorer.training.optimiser import QuickAdam

STALL_WINDOW = 10
INFORMATION_IMAGES = 500


class Engine:
    """Model, optimiser, data and random state; `step()` does one update.

    The order of the images in an epoch comes from the seed and the epoch alone, so a resumed run
    sees the batches that an uninterrupted one would have seen. An epoch's last, partial batch is
    dropped unless it is the only one.
    """

    def __init__(self, config: Config, images: Array, device: torch.device) -> None:
        self.config = config
        self.device = device
        # Weights are drawn from the global generator: its state is put back, so that building
        # a model disturbs nobody else's random numbers.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = build_model(config.model, images.shape[1:])
        mean_image = torch.from_numpy(images.mean(0, dtype=np.float64) / 255)
        self.model.initialise_output(mean_image, len(images))
        self.model.to(device)
        self.arithmetic = config.model.precision
        """What the wide layers multiply in while they learn."""
        if uses_half_products(config, device):
            halve_products(self.model)
            self.arithmetic = "bfloat16"
        self.images = torch.from_numpy(np.array(images, order="C")).to(device)
        self.batch_size = min(config.optimiser.batch_size, len(images))
        self.generator = torch.Generator(device).manual_seed(config.seed + 1)
        self.optimiser = QuickAdam(
            self.model.parameters(),
            lr=config.optimiser.learning_rate,
            eps=config.optimiser.epsilon,
            fused=device.type in ("cpu", "cuda"),
        )
        self.steps_per_epoch = max(1, len(images) // self.batch_size)
        self._terms = choose_objective(config.objective, config.model.latent)
        self.aggressive = config.optimiser.inner_steps > 0
        """Whether encoder-only updates still go before each update of the decoder."""
        self.best_information = -math.inf
        self._epoch = -1
        self._order = torch.empty(0)
        self.totals = Totals()

    def step(self, step: int, steps: int, beta: float) -> None:
        """Do update number `step` (from 0) of `steps` planned ones and add to `totals`."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.optimiser.learning_rate_at(step, steps)
        objective = self.config.objective.at(step, steps)
        if self.aggressive:
            self._catch_up(step, beta, objective)
        terms = self._compute(self.batch(step), beta, objective)
        self.optimiser.forget()
        terms.objective.backward()  # type: ignore[no-untyped-call]
        if self.aggressive:
            for parameter in self.model.encoder.parameters():
                parameter.grad = None
        self.optimiser.update()
        kl = terms.kl_parts
        self.totals.add(
            terms.objective.detach(),
            terms.reconstruction.detach().mean(),
            None if kl is None else kl.detach().mean(0),
        )

    def _compute(self, images: Tensor, beta: float, objective: ObjectiveConfig) -> Terms:
        x = self.model.target(images, self.generator)
        return self._terms(self.model, x, beta, objective, self.generator)

    def _catch_up(self, step: int, beta: float, objective: ObjectiveConfig) -> None:
        """Update the encoder alone, on batches drawn anew, until the objective stalls.

        The inner loop of He et al. 2019, Alg. 1: it ends when ten updates in a row have not
        lowered the mean of the ten before, or after `inner_steps` of them.
        """
        encoder = [p for p in self.model.encoder.parameters() if p.requires_grad]
        order = torch.Generator().manual_seed(self.config.seed * 7919 + step)
        recent, earlier = 0.0, math.inf
        for index in range(1, self.config.optimiser.inner_steps + 1):
            chosen = torch.randint(len(self.images), (self.batch_size,), generator=order)
            terms = self._compute(self._pick(chosen.to(self.device)), beta, objective)
            self.optimiser.forget()
            gradients = torch.autograd.grad(terms.objective, encoder)
            for parameter, gradient in zip(encoder, gradients, strict=True):
                parameter.grad = gradient
            self.optimiser.update()
            recent += float(terms.objective.detach())
            if index % STALL_WINDOW == 0:
                if recent >= earlier:
                    break
                recent, earlier = 0.0, recent

    def watch_information(self, held_out: Array) -> None:
        """End the aggressive phase once the codes' mutual information has stopped rising."""
        with torch.no_grad():
            images = torch.from_numpy(np.array(held_out[:INFORMATION_IMAGES])).to(self.device)
            # Fixed draws: this must not move the training's own random numbers.
            generator = torch.Generator(self.device).manual_seed(0)
            mean, logvar = self.model.encode_parameters(self.model.target(images, generator))
            assert logvar is not None
            information = estimate_information(mean, logvar, generator)
        if information <= self.best_information:
            self.aggressive = False
        self.best_information = max(self.best_information, information)

    def batch(self, step: int) -> Tensor:
        """Return the images of update number `step`, uint8 (B, C, H, W)."""
        epoch, index = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            order = torch.Generator().manual_seed(self.config.seed * 1_000_003 + epoch)
            permutation = torch.randperm(len(self.images), generator=order)
            self._epoch, self._order = epoch, permutation.to(self.device)
        return self._pick(self._order[index * self.batch_size : (index + 1) * self.batch_size])

    def _pick(self, chosen: Tensor) -> Tensor:
        """Return the images at `chosen` (B,), uint8 (B, C, H, W); whole rows are faster to copy."""
        rows = self.images.flatten(1).index_select(0, chosen)
        return rows.view(-1, *self.images.shape[1:])


def estimate_information(mean: Tensor, logvar: Tensor, generator: torch.Generator) -> float:
    """Return I(n; z) in nats of N codes (N, K): mean of log q(z|x_n) − logsumexp_m + ln N.

    Hoffman and Johnson 2016, with all codes as the aggregate; at most ln N.
    """
    z = reparameterise(mean, logvar, draw_noise(mean, 1, generator))
    scaled = (z[:, None] - mean).square() * torch.exp(-logvar)
    log_q = -0.5 * (scaled + logvar).sum(2)
    own = log_q.diagonal()
    return float((own - torch.logsumexp(log_q, 1)).mean() + math.log(len(mean)))


class Totals:
    """Running sums since the last log point."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.count = 0
        self.objective: Tensor | float = 0.0
        self.reconstruction: Tensor | float = 0.0
        self.kl_per_dim: Tensor | None = None

    def add(self, objective: Tensor, reconstruction: Tensor, kl_per_dim: Tensor | None) -> None:
        """Add the means of one batch."""
        self.count += 1
        self.objective = self.objective + objective
        self.reconstruction = self.reconstruction + reconstruction
        if kl_per_dim is not None:
            sums = self.kl_per_dim
            self.kl_per_dim = kl_per_dim if sums is None else sums + kl_per_dim

    def means(self) -> tuple[float, float, list[float] | None]:
        """Return objective, reconstruction and KL per dimension, averaged over the batches."""
        kl = None if self.kl_per_dim is None else (self.kl_per_dim / self.count).tolist()
        return float(self.objective) / self.count, float(self.reconstruction) / self.count, kl


def uses_half_products(config: Config, device: torch.device) -> bool:
    """Tell whether the wide layers multiply in bfloat16 (see `OptimiserConfig`)."""
    asked, model = config.optimiser.matmul_precision, config.model
    if asked != "auto" or model.precision != "float32":
        return asked == "bfloat16" and model.precision == "float32"
    measured = model.network == "mlp" and LIKELIHOODS[model.likelihood].halves_well
    return measured and device.type == "cpu" and has_bfloat16()


def has_bfloat16() -> bool:
    """Tell whether this processor multiplies in bfloat16; without that it is slower, not faster."""
    # Not there before torch 2.10; then the products stay in float32.
    found: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def choose_device(name: str, precision: str = "float32") -> torch.device:
    """Return the device for "auto" (CUDA, then MPS, then CPU) or a named one."""
    from explorer.errors import ExplorerError

    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if has_mps and precision == "float32" else "cpu")
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not has_mps):
        raise ExplorerError(f"There is no {name} device on this machine; use --device auto or cpu.")
    return torch.device(name)
