"""One model by gradient descent, update by update; fast: no loader, bytes in memory, fused Adam."""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.codes import Array
from explorer.config import Config, ObjectiveConfig
from explorer.datasets.rows import Rows
from explorer.elbo.terms import Terms, choose_objective, draw_noise, reparameterise
from explorer.models import Model
from explorer.runs.checkpoint import pack_training, unpack_training
from explorer.training.engine import Engine, Means, Totals, average
from explorer.training.machine import threads_agree
from explorer.training.start import Batches, start_generator, start_model, start_optimiser
from explorer.training.written_out import write_out

STALL_WINDOW = 10
INFORMATION_IMAGES = 500


class SingleEngine(Engine):
    """Model, optimiser, images and random state of one config."""

    def __init__(self, config: Config, images: Array | Rows, device: torch.device) -> None:
        self.config, self.configs, self.device = config, [config], device
        self.model, self.arithmetic = start_model(config, images, device)
        self.batches = Batches(config, images, device)
        self.batch_size, self.steps_per_epoch = self.batches.size, self.batches.per_epoch
        self.threads_agree = threads_agree(config, self.arithmetic, device, self.batch_size)
        self.generator = start_generator(config, device)
        self.optimiser = start_optimiser(self.model, config)
        self.aggressive = config.optimiser.inner_steps > 0
        """Whether encoder-only updates still go before each update of the decoder."""
        self.best_information = -math.inf
        self.totals = [Totals()]
        self._terms = choose_objective(config.objective, config.model.latent)
        self._written_out = write_out([config], self.model, self.model.likelihood)

    def step(self, step: int, steps: int, betas: Sequence[float]) -> None:
        """Do one update."""
        (beta,) = betas
        self.optimiser.lr = self.config.optimiser.learning_rate_at(step, steps)
        objective = self.config.objective.at(step, steps)
        if self.aggressive:
            self._catch_up(step, beta, objective)
        means = self._differentiate(self.batches.at(step), beta, objective)
        if self.aggressive:
            for parameter in self.model.encoder.parameters():
                parameter.grad = None
        self.optimiser.update()
        self.totals[0].add(means)

    def member(self, index: int) -> Model:
        """Return the model itself."""
        return self.model

    def trial(self) -> "SingleEngine":
        """Return an engine with a copy of the model that sees the same images."""
        trial = copy.copy(self)
        trial.model = copy.deepcopy(self.model)
        trial.optimiser = start_optimiser(trial.model, self.config)
        trial.generator = torch.Generator(self.device).manual_seed(0)
        trial.totals = [Totals()]
        trial._written_out = write_out(self.configs, trial.model, trial.model.likelihood)
        return trial

    def pack(self, metadata: Mapping[str, Any]) -> bytes:
        """Return weights, optimiser and random state."""
        state = {
            **metadata,
            "aggressive": self.aggressive,
            "best_information": max(self.best_information, -1.0),
        }
        return pack_training(self.model, self.optimiser, self.generator, state)

    def unpack(self, content: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
        """Go on from these."""
        unpack_training(content, self.model, self.optimiser, self.generator)
        self.aggressive = metadata.get("aggressive", False)
        self.best_information = metadata.get("best_information", -1.0)

    def watch(self, step: int, held_out: Array | Rows) -> None:
        """End the aggressive phase once the codes' mutual information has stopped rising.

        Looked at after every epoch.
        """
        if not self.aggressive or step % self.steps_per_epoch:
            return
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

    def _differentiate(self, images: Tensor, beta: float, objective: ObjectiveConfig) -> Means:
        """Leave the objective's gradients with the parameters."""
        if self._written_out is not None:
            x = self.model.target(images, self.generator)
            return self._written_out.learn(x, beta, self.generator)
        terms = self._compute(images, beta, objective)
        self.optimiser.forget()
        terms.objective.backward()  # type: ignore[no-untyped-call]
        return average(terms)

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
            terms = self._compute(self.batches.draw(order), beta, objective)
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


def estimate_information(mean: Tensor, logvar: Tensor, generator: torch.Generator) -> float:
    """Return I(n; z) in nats of N codes (N, K): mean of log q(z|x_n) − logsumexp_m + ln N.

    Hoffman and Johnson 2016, with all codes as the aggregate; at most ln N.
    """
    z = reparameterise(mean, logvar, draw_noise(mean, 1, generator))
    scaled = (z[:, None] - mean).square() * torch.exp(-logvar)
    log_q = -0.5 * (scaled + logvar).sum(2)
    own = log_q.diagonal()
    return float((own - torch.logsumexp(log_q, 1)).mean() + math.log(len(mean)))
