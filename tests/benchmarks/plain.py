"""A plain VAE loop as tutorials write it: DataLoader, a transform per image, default Adam.

784-400-K, ReLU, Bernoulli probabilities out of a sigmoid, binary cross-entropy summed.
"""

import os
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from explorer.datasets.torchvision_mend import import_datasets


class PlainVAE(nn.Module):
    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(784, 400)
        self.mean = nn.Linear(400, latent_dim)
        self.logvar = nn.Linear(400, latent_dim)
        self.back = nn.Linear(latent_dim, 400)
        self.output = nn.Linear(400, 784)

    def forward(self, x):
        hidden = functional.relu(self.hidden(x.view(-1, 784)))
        mean, logvar = self.mean(hidden), self.logvar(hidden)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        probability = torch.sigmoid(self.output(functional.relu(self.back(z))))
        return probability, mean, logvar


def plain_loss(probability, x, mean, logvar):
    cross_entropy = functional.binary_cross_entropy(probability, x.view(-1, 784), reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())
    return cross_entropy + kl


def plain_epochs(latent_dim: int, binarise: bool):
    """Train for ever, yielding the model and the images seen after every batch."""
    model = PlainVAE(latent_dim)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = plain_loader()
    seen = 0
    while True:
        for x, _ in loader:
            if binarise:
                x = torch.bernoulli(x)
            optimiser.zero_grad()
            loss = plain_loss(*model_terms(model, x))
            loss.backward()
            loss.item()  # Tutorials add up the loss for their progress bar.
            optimiser.step()
            seen += len(x)
            yield model, seen


def model_terms(model: PlainVAE, x):
    probability, mean, logvar = model(x)
    return probability, x, mean, logvar


def plain_loader(batch_size: int = 128) -> DataLoader:
    datasets = import_datasets()
    from torchvision import transforms

    root = mnist_folder()
    images = datasets.MNIST(root, train=True, transform=transforms.ToTensor())
    return DataLoader(images, batch_size=batch_size, shuffle=True)


@torch.no_grad()
def plain_elbo(model: PlainVAE, images) -> float:
    """Test ELBO in nats per image on one binary draw of uint8 images (N, 1, 28, 28)."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(images.shape, generator=generator) < torch.tensor(images) / 255).float()
    return -float(plain_loss(*model_terms(model, x))) / len(x)


def mnist_folder() -> Path:
    """Where real MNIST lies: LATENT_EXPLORER_DATA, or ../shared/data beside the checkout."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("LATENT_EXPLORER_DATA") or beside)
    if not (folder / "MNIST" / "raw").is_dir():
        raise SystemExit("This benchmark needs real MNIST: set LATENT_EXPLORER_DATA.")
    return folder
