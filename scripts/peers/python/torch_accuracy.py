"""dtrain's default recipe in PyTorch eager: one JSON line with the test accuracy after each epoch."""

import json
import math

import torch
from common import arguments, mnist
from lenet_torch import initialise, lenet5, sgd, trainer

EPOCHS, PEAK, WARM_UP = 4, 0.05, 200

args = arguments(seed=1)
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)
images, labels = (torch.from_numpy(array) for array in mnist(args.data))
test_images, test_labels = (torch.from_numpy(array) for array in mnist(args.data, "t10k"))
images, test_images = images.unsqueeze(1), test_images.unsqueeze(1)
model = lenet5()
initialise(model)
optimiser = sgd(model)
train = trainer(model, optimiser)
steps = math.ceil(len(images) / args.batch)
total = EPOCHS * steps


def rate(step):
    if step < WARM_UP:
        return PEAK * (step + 1) / WARM_UP
    return PEAK * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (total - WARM_UP)))


@torch.inference_mode()
def accuracy():
    parts = zip(test_images.split(1000), test_labels.split(1000))
    right = sum((model(part).argmax(1) == label).sum().item() for part, label in parts)
    return right / len(test_labels)


for epoch in range(EPOCHS):
    for index, chosen in enumerate(torch.randperm(len(images)).split(args.batch)):
        optimiser.param_groups[0]["lr"] = rate(epoch * steps + index)
        train(images.index_select(0, chosen), labels.index_select(0, chosen))
    print(json.dumps({"epoch": epoch + 1, "testAccuracy": accuracy()}), flush=True)
