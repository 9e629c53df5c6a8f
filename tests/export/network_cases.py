"""Networks that the browser must interpret as PyTorch does: (module, shape that goes in)."""

import torch
from torch import nn

from explorer.models.adopted.layers import modules
from explorer.models.networks import CapVariance, NormaliseMean, SkipLinear

Shape = tuple[int, ...]

CONVOLUTIONS: dict[str, tuple[nn.Module, Shape]] = {
    "conv 4, stride 2, padding 1": (nn.Conv2d(3, 8, 4, 2, 1), (3, 16, 12)),
    "conv 3": (nn.Conv2d(5, 7, 3), (5, 9, 11)),
    "conv 1": (nn.Conv2d(5, 3, 1), (5, 6, 7)),
    "conv of unequal sides": (nn.Conv2d(3, 6, (3, 5), (2, 1), (0, 2), (1, 2)), (3, 12, 14)),
    "conv dilated": (nn.Conv2d(2, 4, 3, 1, 2, 2), (2, 9, 9)),
    "conv in groups": (nn.Conv2d(6, 9, 3, 1, 1, groups=3), (6, 7, 7)),
    "conv of each channel": (nn.Conv2d(6, 6, 3, 1, 1, groups=6), (6, 8, 8)),
    "conv without bias": (nn.Conv2d(3, 5, 3, bias=False), (3, 8, 8)),
    "conv padded by reflection": (nn.Conv2d(3, 5, 3, padding=1, padding_mode="reflect"), (3, 8, 8)),
    "conv, same": (nn.Conv2d(3, 5, (3, 5), padding="same"), (3, 8, 8)),
    "transposed 4, stride 2, padding 1": (nn.ConvTranspose2d(8, 3, 4, 2, 1), (8, 7, 5)),
    "transposed 3, output padding": (nn.ConvTranspose2d(5, 6, 3, 2, 1, 1), (5, 6, 6)),
    "transposed of unequal sides": (
        nn.ConvTranspose2d(4, 6, (3, 5), (3, 2), (1, 0), (2, 1), 2, True, (1, 2)),
        (4, 5, 6),
    ),
    "transposed in groups": (nn.ConvTranspose2d(6, 9, 4, 2, 1, groups=3), (6, 5, 5)),
    "transposed without overlap": (nn.ConvTranspose2d(3, 4, 2, 2, bias=False), (3, 6, 6)),
}
SIZES: dict[str, tuple[nn.Module, Shape]] = {
    "max pool": (nn.MaxPool2d(2), (3, 9, 8)),
    "max pool, padded, dilated, up": (nn.MaxPool2d(3, 2, 1, 2, ceil_mode=True), (3, 10, 11)),
    "average pool": (nn.AvgPool2d(3, 2, 1), (3, 9, 8)),
    "average pool, up": (nn.AvgPool2d(3, 2, 1, ceil_mode=True), (3, 10, 8)),
    "average pool without border": (
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        (3, 10, 8),
    ),
    "adaptive pools": (
        nn.Sequential(nn.AdaptiveMaxPool2d(6), nn.AdaptiveAvgPool2d((3, None))),
        (3, 12, 12),
    ),
    "pad": (nn.ZeroPad2d((1, 2, 3, 0)), (2, 5, 6)),
    "pad by a constant": (nn.ConstantPad2d((1, -1, 2, 1), 0.7), (2, 5, 6)),
    "pad by reflection": (nn.ReflectionPad2d((3, 2, 1, 4)), (2, 5, 6)),
    "pad by the edge": (nn.ReplicationPad2d((3, 2, 1, 4)), (2, 5, 6)),
    "pad around": (nn.CircularPad2d((3, 2, 1, 4)), (2, 5, 6)),
    "nearest, twice": (nn.Upsample(scale_factor=2), (3, 5, 4)),
    "nearest, uneven": (nn.Upsample((11, 3)), (3, 5, 4)),
    "bilinear": (nn.Upsample((11, 7), mode="bilinear"), (3, 5, 4)),
    "bilinear, smaller": (nn.Upsample((3, 9), mode="bilinear"), (3, 8, 4)),
    "bilinear, corners": (nn.Upsample((11, 7), mode="bilinear", align_corners=True), (3, 5, 4)),
    "pixel shuffle": (nn.PixelShuffle(2), (12, 3, 5)),
}
VALUES: dict[str, tuple[nn.Module, Shape]] = {
    "relu": (nn.ReLU(), (50,)),
    "silu": (nn.SiLU(), (50,)),
    "tanh": (nn.Tanh(), (50,)),
    "sigmoid": (nn.Sigmoid(), (50,)),
    "leaky relu": (nn.LeakyReLU(0.2), (50,)),
    "elu": (nn.ELU(0.7), (50,)),
    "gelu": (nn.GELU(), (50,)),
    "gelu by tanh": (nn.GELU("tanh"), (50,)),
    "softplus": (nn.Softplus(2.0, 3.0), (50,)),
    "prelu": (nn.PReLU(4), (4, 3, 3)),
    "prelu of one slope": (nn.PReLU(), (4, 3, 3)),
    "clamp": (nn.Hardtanh(-0.5, 0.8), (50,)),
    "exp, erf": (nn.Sequential(modules.Exp(), modules.Erf()), (50,)),
    "log": (nn.Sequential(nn.Sigmoid(), modules.Log()), (50,)),
    "logit": (nn.Sequential(nn.Sigmoid(), modules.Logit()), (50,)),
    "affine": (modules.Affine(torch.randn(3, 1, 1), torch.randn(1, 4, 1)), (3, 4, 5)),
    "batch norm of pictures": (nn.BatchNorm2d(4), (4, 5, 6)),
    "batch norm of numbers": (nn.BatchNorm1d(7), (7,)),
    "group norm": (nn.GroupNorm(3, 6), (6, 4, 5)),
    "instance norm": (nn.InstanceNorm2d(5), (5, 4, 3)),
    "layer norm": (nn.LayerNorm([4, 5]), (3, 4, 5)),
    "linear along the last axis": (nn.Linear(5, 4), (3, 5)),
}
ARRANGED: dict[str, tuple[nn.Module, Shape]] = {
    "permute, reshape": (
        nn.Sequential(modules.Permute((2, 0, 1)), modules.Reshape((10, 6))),
        (3, 4, 5),
    ),
    "flatten": (nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), (3, 2, 2)),
    "slice": (nn.Sequential(modules.Slice(1, 1, 6, 2), modules.Slice(0, 1, 3, 1)), (4, 7, 2)),
    "unflatten": (nn.Sequential(nn.Linear(3, 24), nn.Unflatten(1, (4, 2, 3))), (3,)),
    "residual": (
        modules.Sum(
            [
                nn.Sequential(),
                nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 3, 1, 1), nn.GroupNorm(2, 4)),
            ]
        ),
        (4, 6, 6),
    ),
    "gate by channel": (
        modules.Product(
            [
                nn.Sequential(),
                nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Sigmoid()),
            ]
        ),
        (4, 6, 6),
    ),
    "concat": (
        modules.Concat([nn.Sequential(), nn.Sequential(nn.Conv2d(4, 2, 1))], 0),
        (4, 3, 5),
    ),
    "concat of columns": (
        modules.Concat([nn.Sequential(), nn.Sequential(nn.Conv2d(4, 4, (1, 2)))], 2),
        (4, 3, 5),
    ),
    "softmax": (nn.Softmax(1), (4, 3, 2)),
    "attention": (
        modules.MatrixProduct(
            [
                nn.Sequential(
                    modules.MatrixProduct(
                        [nn.Sequential(), nn.Sequential(modules.Permute((0, 2, 1)))]
                    ),
                    nn.Softmax(-1),
                ),
                nn.Sequential(nn.Linear(5, 6)),
            ]
        ),
        (2, 4, 5),
    ),
    "hands z on": (SkipLinear(5, 8, 2, nn.Tanh()), (5,)),
    "capped variances": (CapVariance(0.4), (6,)),
    "normalised means": (NormaliseMean(3, 0.6), (6,)),
}
CASES = {**CONVOLUTIONS, **SIZES, **VALUES, **ARRANGED}
RANDOM_GRAPHS = 12


def random_graph(seed: int) -> tuple[nn.Module, Shape]:
    """Return a chain of random layers with a residual block, from a few numbers to a picture."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=generator))

    def activation() -> nn.Module:
        return (nn.LeakyReLU(0.1), nn.ELU(), nn.GELU(), nn.SiLU(), nn.Softplus())[draw(0, 4)]

    channels, side, latents = 4 * draw(1, 4), draw(2, 5), draw(2, 6)
    parts: list[nn.Module] = [
        nn.Linear(latents, channels * side * side),
        nn.Unflatten(1, (channels, side, side)),
    ]
    for _ in range(draw(2, 3)):
        block = nn.Sequential(
            nn.GroupNorm(2, channels), activation(), nn.Conv2d(channels, channels, 3, 1, 1)
        )
        parts.append(modules.Sum([nn.Sequential(), block]))
        wider = 2 * draw(1, 6)
        if draw(0, 1):
            kernel, stride = draw(2, 5), draw(1, 3)
            extra = draw(0, stride - 1)
            parts.append(nn.ConvTranspose2d(channels, wider, kernel, stride, draw(0, 1), extra))
        else:
            modes = ("nearest", "bilinear")
            parts += [
                nn.Upsample(scale_factor=2, mode=modes[draw(0, 1)]),
                nn.Conv2d(channels, wider, 3, padding=1, padding_mode="replicate"),
            ]
        parts += [nn.BatchNorm2d(wider), activation()]
        channels = wider
    return nn.Sequential(*parts, nn.Conv2d(channels, 3, 3, 1, 1)), (latents,)


def settle(module: nn.Module, seed: int) -> nn.Module:
    """Return the module with random weights and stored statistics, ready to be looked at."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
        for name, buffer in module.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
            elif name.endswith("running_mean"):
                buffer.normal_()
    return module.eval()
