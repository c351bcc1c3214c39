"""What the peers' scripts share: arguments, MNIST in memory, and the clock."""

import argparse
import gzip
import json
import os
import time

import numpy

WARM_UP_SECONDS = 1.5


def arguments(**extra):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder with the four MNIST files")
    parser.add_argument("--batch", type=int, default=64, help="samples in a step, over all ranks")
    parser.add_argument("--threads", type=int, default=1, help="threads, or ranks of one thread")
    parser.add_argument("--seconds", type=float, default=5, help="how long to measure")
    for name, default in extra.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()


def read(folder, name, header):
    path = os.path.join(folder, name)
    with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def mnist(folder, part="train"):
    """Normalised images [n, 28, 28] in float32, and labels in int64."""
    pixels = read(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 28, 28)
    table = ((numpy.arange(256) / 255 - 0.1307) / 0.3081).astype(numpy.float32)
    return table[pixels], read(folder, f"{part}-labels-idx1-ubyte", 8).astype(numpy.int64)


def batches(images, labels, size, seed=1):
    """One epoch of whole batches in shuffled order: [steps, size, 28, 28] and [steps, size]."""
    steps = len(images) // size
    order = numpy.random.default_rng(seed).permutation(len(images))[: steps * size]
    return images[order].reshape(steps, size, 28, 28), labels[order].reshape(steps, size)


def timed(step, seconds, first=0):
    """Calls step(0), step(1), ... for so long. Returns how many calls, and the time they took."""
    count, since = 0, time.perf_counter()
    while time.perf_counter() - since < seconds:
        step(first + count)
        count += 1
    return count, time.perf_counter() - since


def measure(step, seconds):
    """`timed`, after a warm-up."""
    warm, _ = timed(step, WARM_UP_SECONDS)
    return timed(step, seconds, warm)


def measure_together(step, seconds, agree):
    """`measure` for ranks that must take as many steps as each other; agree(x) is x on every rank."""
    for index in range(5):
        step(index)
    since = time.perf_counter()
    for index in range(100):
        step(index)
    count = max(1, int(agree(100 * seconds / (time.perf_counter() - since))))
    since = time.perf_counter()
    for index in range(count):
        step(index)
    return count, time.perf_counter() - since


def report(steps, seconds, batch, version):
    samples = steps * batch
    line = {"samplesPerSecond": samples / seconds, "samples": samples, "seconds": seconds}
    print(json.dumps({**line, "version": version}), flush=True)
