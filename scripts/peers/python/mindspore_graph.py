"""MindSpore in graph mode: loss, gradients and update as one compiled cell.

It chooses its threads itself: with fewer actor threads than it wants it is much slower.
"""

import mindspore
from common import arguments, batches, measure, mnist, report
from mindspore import Tensor, nn

args = arguments()
mindspore.set_context(mode=mindspore.GRAPH_MODE)
mindspore.set_device("CPU")
mindspore.runtime.set_cpu_affinity(False)
images, labels = batches(*mnist(args.data), args.batch)
images = [Tensor(each) for each in images[:, :, None]]
labels = [Tensor(each.astype("int32")) for each in labels]
model = nn.SequentialCell(
    nn.Conv2d(1, 6, 5, pad_mode="same", has_bias=True), nn.ReLU(), nn.MaxPool2d(2, 2),
    nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True), nn.ReLU(), nn.MaxPool2d(2, 2),
    nn.Flatten(),
    nn.Dense(400, 120), nn.ReLU(),
    nn.Dense(120, 84), nn.ReLU(),
    nn.Dense(84, 10),
)  # fmt: skip
loss = nn.WithLossCell(model, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"))
train = nn.TrainOneStepCell(loss, nn.Momentum(model.trainable_params(), 0.01, 0.9))
train.set_train()


def step(index):
    # Reading the loss waits for the step.
    train(images[index % len(images)], labels[index % len(labels)]).asnumpy()


report(*measure(step, args.seconds), args.batch, f"MindSpore {mindspore.__version__}")
