"""LeNet-5 and its optimiser in PyTorch."""

import math

import torch
from torch import nn


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


def initialise(model):
    """As dtrain does: uniform in +-sqrt(3 / fan-in), biases 0."""
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            limit = math.sqrt(3 / layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -limit, limit)
            nn.init.zeros_(layer.bias)


def trainer(model, optimiser):
    loss_of = nn.CrossEntropyLoss()

    def step(images, labels):
        optimiser.zero_grad()
        loss_of(model(images), labels).backward()
        optimiser.step()

    return step


def sgd(model, lr=0.01):
    """`foreach`: one operation over all parameters, the faster form where it differs."""
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, foreach=True)
