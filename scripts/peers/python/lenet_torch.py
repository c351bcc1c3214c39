"""LeNet-5 in PyTorch eager, with what makes eager fastest: channels last, and the fused optimiser."""

import math

import torch
from torch import nn


def lenet5():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip
    return model.to(memory_format=torch.channels_last)


def initialise(model):
    """As dtrain does: uniform in +-sqrt(3 / fan-in), biases 0."""
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            limit = math.sqrt(3 / layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -limit, limit)
            nn.init.zeros_(layer.bias)


def sgd(model, lr=0.01):
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, fused=True)


def trainer(model, optimiser):
    loss_of = nn.CrossEntropyLoss()

    def step(images, labels):
        optimiser.zero_grad()
        images = images.contiguous(memory_format=torch.channels_last)
        loss_of(model(images), labels).backward()
        optimiser.step()

    return step
