"""Two players, one bound: the encoder tightens it, the decoder lifts what it bounds.

log p(x) = ELBO + KL(q(z|x)‖p(z|x)). A step of the encoder alone leaves log p(x) where it is, so all
that the ELBO gains the gap loses. A step of the decoder alone moves log p(x) and the gap together:
to maximise the ELBO is to maximise log p(x) only as far as the gap stands still. All of it happens
on a copy of the model.
"""

import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.checks import Floats, check_gaussian
from explorer.analysis.inference.exact import infer_posterior
from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.analysis.inference.posterior_grid import QUICK_RATIO, build_grid
from explorer.analysis.inference.refinement import elbo_by_quadrature
from explorer.analysis.subject import Subject
from explorer.analysis.watch import Progress, Watch
from explorer.config import ObjectiveConfig
from explorer.elbo.encoding import draw_targets
from explorer.elbo.terms import elbo_terms, reparameterise
from explorer.errors import ExplorerError
from explorer.models.base import Model
from explorer.training.optimiser import Adam

PLAYERS = ("encoder", "decoder", "both")
STARTS = ("trained", "fresh-encoder", "fresh")
"""As it was trained; the same with an encoder that knows nothing; both knowing nothing."""
LEARNING_RATES = {"trained": 1e-4, "fresh-encoder": 1e-3, "fresh": 1e-3}
"""Of Adam, whose first steps are as long as its rate: what is trained already needs short ones."""
SAMPLES = 8
"""Draws of z per image and step."""
BATCH = 64
MEASURED_SAMPLES = 500
NODES = 24
PARTS = 5
"""Times that one press of a player that leaves log p(x) alone is measured."""


@dataclass(frozen=True)
class Position:
    """Where the bound stands after `step` updates, the last of them by `player` ("" at first).

    Means over the measured images, nats. `log_px` is exact where `is_exact` (`doubtful` then
    counts images that are not certified), else importance-weighted (`doubtful` counts flags), the
    best estimate while the decoder stood still.
    """

    step: int
    player: str
    elbo: float
    log_px: float
    is_exact: bool
    doubtful: int

    @property
    def gap(self) -> float:
        """Mean KL(q(z|x)‖p(z|x)), nats."""
        return self.log_px - self.elbo


class Game:
    """A copy of a model on which encoder and decoder take steps in turn.

    `x` (N, C, H, W) are the images as scored, on which the bound is measured. Steps are taken on
    fresh minibatches of `images` (uint8), or, where those are None, on x itself. `codes` set how
    far the exact posteriors are looked for, as in `build_grid`.
    """

    def __init__(
        self,
        model: Model,
        x: Tensor,
        images: NDArray[np.uint8] | None = None,
        *,
        start: str = "trained",
        codes: Floats | None = None,
        seed: int = 0,
    ) -> None:
        check_gaussian(model)
        if start not in STARTS:
            raise ExplorerError(f"The start must be one of {', '.join(STARTS)}; it is {start!r}.")
        self.model = copy.deepcopy(model).cpu().eval().requires_grad_(True)
        self.x = Subject(self.model, x).x
        self._images = images
        self._generator = torch.Generator().manual_seed(seed)
        self._reach = 0.0 if codes is None else float(np.abs(codes).max())
        if start == "fresh":
            self._forget(model, seed, decoder=True)
        log_px, doubtful = self._measure_log_px()
        if start == "fresh-encoder":
            # The decoder still is the trained one, so log p(x) is what it was.
            self._forget(model, seed, decoder=False)
        exact = model.latent_dim <= 2
        elbo = self._measure_elbo()
        if not exact:
            log_px = max(log_px, elbo)
        self.positions = [Position(0, "", elbo, log_px, exact, doubtful)]
        self._learning_rate = LEARNING_RATES[start]

    @cached_property
    def _optimisers(self) -> dict[str, Adam]:
        """Those of both players, from the first step on: they are twice as large as the weights."""
        encoding = set(self.model.encoder.parameters())
        # Whatever belongs to p(x, z): the likelihood's variance and a learned prior as well.
        decoding = [p for p in self.model.parameters() if p not in encoding]
        return {
            "encoder": Adam(self.model.encoder.parameters(), lr=self._learning_rate),
            "decoder": Adam(decoding, lr=self._learning_rate),
        }

    def play(self, player: str, steps: int, progress: Progress | None = None) -> None:
        """Take `steps` updates of −ELBO by "encoder", "decoder" or "both", and measure."""
        if player not in PLAYERS or steps < 1:
            raise ExplorerError(f"A player is one of {', '.join(PLAYERS)} and takes steps.")
        watch = Watch(progress)
        parts = min(steps, PARTS) if player == "encoder" else 1
        done = 0
        for part in range(1, parts + 1):
            until = steps * part // parts
            for _ in range(until - done):
                self._step(player)
            watch.report(0.9 * part / parts if player == "encoder" else 0.3)
            last = self.positions[-1]
            log_px, doubtful = last.log_px, last.doubtful
            if player != "encoder":
                log_px, doubtful = self._measure_log_px()
            self.positions.append(
                Position(
                    last.step + until - done,
                    player,
                    self._measure_elbo(),
                    log_px,
                    last.is_exact,
                    doubtful,
                )
            )
            done = until
        if not self.positions[-1].is_exact:
            self._raise_log_px()
        watch.report(1.0)

    def _raise_log_px(self) -> None:
        """Let all positions of one decoder share the best estimate of its log p(x).

        Each is a lower bound on average, of the same number: a better q finds a higher one.
        """
        log_px, doubtful = self._measure_log_px()
        since = len(self.positions) - 1
        while since > 0 and self.positions[since].player == "encoder":
            since -= 1
        shared = self.positions[since:]
        best = max(log_px, *(max(position.log_px, position.elbo) for position in shared))
        if log_px < best:
            doubtful = max(doubtful, shared[-1].doubtful)
        self.positions[since:] = [
            replace(position, log_px=best, doubtful=doubtful) for position in shared
        ]

    def _step(self, player: str) -> None:
        x = self.x
        if self._images is not None:
            chosen = torch.randint(len(self._images), (BATCH,), generator=self._generator)
            seed = int(torch.randint(2**31, (), generator=self._generator))
            x = draw_targets(self.model, self._images[chosen.numpy()], seed=seed)
        self.model.zero_grad(set_to_none=True)
        objective = ObjectiveConfig(samples=SAMPLES)
        self.model.train()
        loss = elbo_terms(self.model, x, 1.0, objective, self._generator).objective
        loss.backward()  # type: ignore[no-untyped-call]
        for name, optimiser in self._optimisers.items():
            if player in (name, "both"):
                optimiser.update()
        self.model.eval()

    def _forget(self, model: Model, seed: int, *, decoder: bool) -> None:
        """Draw weights anew: the encoder's, and the decoder's too where it is asked for."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = model.untrained().cpu().eval()
        source = self.x if self._images is None else torch.from_numpy(self._images) / 255
        fresh.initialise_output(source.double().mean(0), len(source))
        self.model.encoder = fresh.encoder
        if decoder:
            self.model.decoder, self.model.likelihood = fresh.decoder, fresh.likelihood
            self.model.prior = fresh.prior

    @torch.no_grad()
    def _measure_log_px(self) -> tuple[float, int]:
        """Return mean log p(x) over the measured images, and how many of them are doubtful."""
        if self.model.latent_dim > 2:
            found = estimate_log_px(self.model, self.x, MEASURED_SAMPLES)
            return float(found.log_px.mean()), int(found.flagged.sum())
        mean = self.model.encode_parameters(self.x)[0]
        reach = max(self._reach, float(mean.abs().max()))
        grid = build_grid(self.model, np.array([[reach]]), ratio=QUICK_RATIO)
        exact = infer_posterior(self.model, self.x, grid, gap_nodes=1)
        return float(exact.log_px.mean()), int((~exact.certified).sum())

    @torch.no_grad()
    def _measure_elbo(self) -> float:
        mean, logvar = self.model.encode_parameters(self.x)
        assert logvar is not None
        if self.model.latent_dim <= 2:
            scale = torch.diag_embed(torch.exp(0.5 * logvar.double()))
            return float(elbo_by_quadrature(self.model, self.x, mean, scale, NODES).mean())
        # The same noise each time, so that what changes is the model.
        objective = ObjectiveConfig(samples=BATCH)
        terms = elbo_terms(self.model, self.x, 1.0, objective, torch.Generator().manual_seed(0))
        return float(terms.bound.double().mean())


@dataclass(frozen=True)
class SlowMotion:
    """One update of one image, piece by piece; nats, K latents, pictures (C, H, W).

    q(z|x) = N(`mean`, `sd`²); `z` = mean + sd·`noise`; `picture` the mean of p(x|z);
    `pixel_nats` −log p of each pixel, summing to `reconstruction`; `kl_per_dim` summing to `kl`
    (one entry, log q − log p at this z, where the prior is a learned mixture).
    `gradients` are the norms of ∂(reconstruction + KL) for encoder and decoder; `after` is
    reconstruction + KL once both have taken one Adam step, with the same noise.
    """

    x: Floats
    mean: Floats
    sd: Floats
    noise: Floats
    z: Floats
    picture: Floats
    pixel_nats: Floats
    reconstruction: float
    kl_per_dim: Floats
    gradients: tuple[float, float]
    after: float

    @property
    def kl(self) -> float:
        """KL(q(z|x)‖p(z))."""
        return float(self.kl_per_dim.sum())

    @property
    def objective(self) -> float:
        """Reconstruction + KL before the update: −ELBO as estimated from one z."""
        return self.reconstruction + self.kl


def slow_motion(
    model: Model, x: Tensor, *, seed: int = 0, learning_rate: float = LEARNING_RATES["trained"]
) -> SlowMotion:
    """Return one training step on one image x (1, C, H, W), taken apart, on a copy of the model."""
    x = Subject(model, x).x.cpu()
    student = copy.deepcopy(model).cpu().eval().requires_grad_(True)
    shape = (1, model.latent_dim)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(x)

    def lose() -> tuple[Tensor, ...]:
        mean, logvar = student.encode_parameters(x)
        assert logvar is not None
        z = reparameterise(mean, logvar, noise)
        kl = student.prior.kl(mean, logvar, z).parts[0]
        return mean, logvar, z, student.nll(z, x).sum(), kl

    optimiser = Adam(student.parameters(), lr=learning_rate)
    mean, logvar, z, reconstruction, kl = lose()
    (reconstruction + kl.sum()).backward()  # type: ignore[no-untyped-call]
    norms = []
    for part in (student.encoder, student.decoder):
        squares = [p.grad.square().sum() for p in part.parameters() if p.grad is not None]
        norms.append(torch.stack(squares).sum().sqrt().item())
    with torch.no_grad():
        pixels = student.decode(z)
        picture = pixels.mean[0]
        nats = -pixels.base_dist.log_prob(x)[0]  # type: ignore[attr-defined]
    optimiser.update()
    with torch.no_grad():
        _, _, _, after, kl_after = lose()

    def array(values: Tensor) -> Floats:
        return values.detach().double().numpy()

    return SlowMotion(
        x=array(x[0]),
        mean=array(mean[0]),
        sd=array(torch.exp(0.5 * logvar[0])),
        noise=array(noise[0]),
        z=array(z[0]),
        picture=array(picture),
        pixel_nats=array(nats),
        reconstruction=reconstruction.item(),
        kl_per_dim=array(kl),
        gradients=(norms[0], norms[1]),
        after=float(after + kl_after.sum()),
    )
