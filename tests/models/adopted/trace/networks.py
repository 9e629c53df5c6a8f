"""Small networks as people write theirs, with random weights; none is like ours."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal
from torch.nn import functional

from tests.helpers import present


@dataclass
class Answer:
    """What some libraries return."""

    embedding: torch.Tensor
    log_covariance: torch.Tensor
    loss: torch.Tensor


def unsettle(model, seed=0):
    """Give batch norms statistics as training would have left them."""
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.normal_(present(module.running_mean))
            nn.init.uniform_(present(module.running_var), 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return model


class Perceptron(nn.Module):
    """Flat pictures, two heads, activations of every sort."""

    def __init__(self, latents=5):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(64, 32),
            nn.BatchNorm1d(32),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.5),
            nn.Linear(32, 16),
            nn.ELU(0.7),
        )
        self.mu, self.lv = nn.Linear(16, latents), nn.Linear(16, latents)
        self.out = nn.Sequential(
            nn.Linear(latents, 16),
            nn.GELU(),
            nn.Linear(16, 32),
            nn.Softplus(),
            nn.Linear(32, 32),
            nn.SELU(),
            nn.Linear(32, 64),
        )

    def encode(self, x):
        h = self.body(x.view(x.size(0), -1))
        return self.mu(h), self.lv(h)

    def as_dict(self, x):
        mu, lv = self.encode(x)
        return {"mu": mu, "log_var": lv}

    def as_object(self, x):
        mean, logvar = self.encode(x)
        return Answer(mean, logvar, torch.zeros(()))

    def as_distribution(self, x):
        mu, lv = self.encode(x)
        return Independent(Normal(mu, torch.exp(0.5 * lv)), 1)

    def as_sample(self, x):
        return self.as_distribution(x).rsample()

    def as_own_noise(self, x):
        mu, lv = self.encode(x)
        std = torch.exp(0.5 * lv)
        return mu + torch.randn_like(std) * std, mu, lv

    def as_plain_draw(self, x):
        return self.as_distribution(x).sample()

    def as_filled_noise(self, x):
        """As old tutorials draw theirs, in place."""
        mu, lv = self.encode(x)
        std = lv.mul(0.5).exp_()
        return std.new_empty(std.size()).normal_().mul(std).add_(mu)

    def as_normal(self, x):
        mu, lv = self.encode(x)
        return torch.normal(mu, torch.exp(0.5 * lv))

    def without_gradients(self, x):
        with torch.no_grad():
            mu, lv = self.encode(x)
        return mu + torch.randn(mu.shape) * torch.exp(0.5 * lv)

    def joined(self, x):
        return torch.cat(self.encode(x), dim=1)

    def interleaved(self, x):
        return torch.stack(self.encode(x), dim=-1).flatten(1)

    def decode(self, z):
        return torch.sigmoid(self.out(z)).view(-1, 1, 8, 8)

    def likelihood(self, z):
        return Independent(Bernoulli(logits=self.out(z).view(-1, 1, 8, 8)), 3)


class Convolutions(nn.Module):
    """Strided convolutions with batch norm in lists, as in many collections of VAEs."""

    def __init__(self, latents=16):
        super().__init__()
        stages, before = [], 3
        for width in (8, 12, 16):
            stages.append(
                nn.Sequential(
                    nn.Conv2d(before, width, 3, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU()
                )
            )
            before = width
        self.encoder = nn.Sequential(*stages)
        self.heads = nn.ModuleList([nn.Linear(16 * 16, latents) for _ in range(2)])
        self.start = nn.Linear(latents, 16 * 16)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 12, 3, 2, 1, output_padding=1),
            nn.BatchNorm2d(12),
            nn.Mish(),
            nn.ConvTranspose2d(12, 8, 3, 2, 1, output_padding=1, bias=False),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(8, 8, 4, 2, 1, groups=4),
            nn.Hardtanh(),
            nn.Conv2d(8, 3, 3, padding=1),
            nn.Tanh(),
        )

    def encode(self, x):
        h = torch.flatten(self.encoder(x), start_dim=1)
        return [head(h) for head in self.heads]

    def decode(self, z):
        return self.decoder(self.start(z).view(-1, 16, 4, 4))


class Block(nn.Module):
    """The residual block of a ResNet: in place, with a skip that may change the width."""

    def __init__(self, before, after, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(after), nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.skip = nn.Sequential()
        if stride != 1 or before != after:
            self.skip = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False))

    def forward(self, x):
        identity = x
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        out += self.skip(identity)
        return self.relu(out)


class Odd(nn.Module):
    """Channels last, pools, pads, slices, gates, pixel shuffles, layer and instance norm, PReLU."""

    def __init__(self, latents=7):
        super().__init__()
        self.latents = latents
        self.first = nn.Conv2d(3, 12, 5, 2, 2)
        self.pool, self.relu = nn.MaxPool2d(3, 2, 1), nn.ReLU(inplace=True)
        self.second = nn.Conv2d(12, 12, 3, padding="same", groups=3)
        self.instance, self.prelu = nn.InstanceNorm2d(12, affine=True), nn.PReLU(12)
        self.small, self.norm = nn.AdaptiveAvgPool2d(2), nn.LayerNorm(48)
        self.last = nn.Linear(48, 2 * latents)
        self.start, self.shuffle = nn.Linear(latents, 48 * 16), nn.PixelShuffle(2)
        self.third = nn.Conv2d(12, 12, 3, padding=1, padding_mode="reflect")
        self.gate = nn.Conv2d(12, 12, 1)
        self.fourth = nn.ConvTranspose2d(12, 3, 5, stride=4, padding=1, output_padding=1)

    def encode(self, x):
        x = (x.permute(0, 3, 1, 2) - 0.5) / 0.25
        h = self.relu(self.pool(self.first(x)))
        h = h + self.instance(self.second(h))
        h = functional.relu6(self.prelu(h))
        h = self.norm(self.small(h).flatten(1))
        mean, raw = self.last(h).view(-1, self.latents, 2).unbind(-1)
        return mean, functional.softplus(raw)

    def decode(self, z):
        h = self.shuffle(functional.hardtanh(self.start(z)).unflatten(1, (48, 4, 4)))
        h = h * torch.sigmoid(self.gate(self.third(h)))
        h = functional.interpolate(h, scale_factor=1.0) if h.shape[-1] < 4 else h
        return ((torch.tanh(self.fourth(h)) + 1) / 2).permute(0, 2, 3, 1)


class Attention(nn.Module):
    """Self-attention over the pixels of a picture, written out or by torch's own function."""

    def __init__(self, written_out):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(6, 6) for _ in range(3))
        self.written_out = written_out

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        q, k, v = self.query(tokens), self.key(tokens), self.value(tokens)
        if self.written_out:
            seen = torch.softmax(q @ k.transpose(1, 2) / 6**0.5, -1) @ v
        else:
            seen = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return x + seen.transpose(1, 2).reshape(x.shape)


class Folded(nn.Module):
    """Attention whose heads are folded into the batch, as medical libraries write it."""

    def __init__(self, heads=2):
        super().__init__()
        self.norm, self.heads = nn.GroupNorm(3, 6, eps=1e-6), heads
        self.queries, self.out = nn.Linear(6, 18), nn.Linear(6, 6)

    def forward(self, x):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        count, length, width = tokens.shape

        def fold(part):
            part = part.reshape(count, length, self.heads, width // self.heads)
            return part.permute(0, 2, 1, 3).reshape(count * self.heads, length, -1)

        q, k, v = map(fold, self.queries(tokens).chunk(3, -1))
        start = torch.empty(len(q), length, length)
        scores = torch.baddbmm(start, q, k.transpose(-1, -2), beta=0, alpha=3**-0.5)
        seen = torch.bmm(scores.softmax(dim=2), v).reshape(count, self.heads, length, -1)
        seen = seen.permute(0, 2, 1, 3).reshape(count, length, width)
        return x + self.out(seen).transpose(1, 2).reshape(x.shape)


class Transformer(nn.Module):
    """Patches with a token of their own and places, through torch's transformer layers."""

    def __init__(self, norm_first=True):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        self.token, self.places = (nn.Parameter(torch.randn(1, n, 16)) for n in (1, 17))
        layer = nn.TransformerEncoderLayer(
            16, 4, 32, activation="gelu", batch_first=True, norm_first=norm_first
        )
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.heads = nn.Linear(16, 6)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1) + self.places
        return self.heads(self.body(tokens)[:, 0]).chunk(2, -1)


class Whole(nn.Module):
    """A forward pass that draws a code inside and returns its picture beside mean and spread."""

    def __init__(self):
        super().__init__()
        self.heads, self.picture = nn.Linear(64, 8), nn.Linear(4, 64)

    def forward(self, x):
        mean, logvar = self.heads(x.flatten(1)).chunk(2, 1)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        return torch.sigmoid(self.picture(z)).view_as(x), mean, logvar
