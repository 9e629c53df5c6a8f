"""A small residual VAE of 64×64 colour pictures with 32 latents, and the pictures it learns."""

import numpy as np
import torch
from torch import nn
from torch.distributions import Independent, Normal
from torch.nn import functional

LATENTS, SIDE = 32, 64


def draw_discs(count, seed=0):
    """Return uint8 pictures (N, 3, 64, 64): a disc of some colour, size and place on a ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    centre = rng.uniform(16, 48, (2, count, 1, 1))
    radius = rng.uniform(6, 16, (count, 1, 1))
    inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
    ground, ink = rng.uniform(0, 110, (count, 3, 1, 1)), rng.uniform(140, 255, (count, 3, 1, 1))
    return np.where(inside[:, None], ink, ground).astype(np.uint8)


class Block(nn.Module):
    """Two convolutions beside a skip: x + f(x), as in residual networks."""

    def __init__(self, before, after):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(4, before), nn.GroupNorm(4, after)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x):
        h = self.conv1(functional.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(functional.silu(self.norm2(h)))


class ResidualVAE(nn.Module):
    """Pixels in [−1, 1]; q(z|x) comes as a distribution, the picture as a tanh.

    All but `alive` latents sleep: their q(z|x) is the prior for every picture.
    """

    def __init__(self, width=8, alive=LATENTS):
        super().__init__()
        self.register_buffer("awake", (torch.arange(LATENTS) < alive).float())
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1),
            Block(width, width),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            Block(2 * width, 2 * width),
            nn.Conv2d(2 * width, 2 * width, 4, 2, 1),
            nn.SiLU(),
            nn.Flatten(),
        )
        self.heads = nn.Linear(2 * width * 64, 2 * LATENTS)
        self.start = nn.Linear(LATENTS, 2 * width * 64)
        self.picture = nn.Sequential(
            nn.Unflatten(1, (2 * width, 8, 8)),
            Block(2 * width, 2 * width),
            nn.Upsample(scale_factor=2),
            Block(2 * width, width),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.GroupNorm(4, width),
            nn.SiLU(),
            nn.ConvTranspose2d(width, 3, 4, 2, 1),
            nn.Tanh(),
        )

    def encode(self, x):
        mean, logvar = self.heads(self.body(x)).chunk(2, dim=1)
        return Independent(Normal(mean * self.awake, torch.exp(0.5 * logvar * self.awake)), 1)

    def decode(self, z):
        return self.picture(self.start(z))


def train(beta, steps, alive=LATENTS, sigma2=0.05, width=8, seed=0):
    """Return a model trained on ‖x − x̂‖²/(2σ²) + β·KL of pixels in [−1, 1]."""
    torch.manual_seed(seed)
    model = ResidualVAE(width, alive)
    x = torch.from_numpy(draw_discs(2000, seed=1)).float() / 127.5 - 1
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(steps):
        batch = x[torch.randint(len(x), (32,))]
        q = model.encode(batch)
        mean, sd = q.base_dist.loc, q.base_dist.scale
        kl = 0.5 * (mean**2 + sd**2 - 1 - 2 * sd.log()).sum(1)
        error = (model.decode(q.rsample()) - batch).square().flatten(1).sum(1)
        loss = (error / (2 * sigma2) + beta * kl).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 100.0)
        optimiser.step()
        schedule.step()
    return model.eval()
