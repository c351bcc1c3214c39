"""PyTorch eager."""

import torch
from common import arguments, measure, mnist, report
from lenet_torch import lenet5, sgd, trainer

args = arguments()
torch.set_num_threads(args.threads)
torch.set_num_interop_threads(1)
images, labels = (torch.from_numpy(array) for array in mnist(args.data))
images = images.unsqueeze(1)
order = torch.randperm(len(images), generator=torch.Generator().manual_seed(1))
places = order[: len(order) // args.batch * args.batch].reshape(-1, args.batch)
model = lenet5()
train = trainer(model, sgd(model))


def step(index):
    chosen = places[index % len(places)]
    train(images.index_select(0, chosen), labels.index_select(0, chosen))


report(*measure(step, args.seconds), args.batch, f"PyTorch {torch.__version__}")
