"""TensorFlow MultiWorkerMirroredStrategy, a process of one thread for each worker; --batch is the global batch."""

import json
import os
import socket
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def worker_main(args):
    import tensorflow as tf
    from common import batches, measure_together, mnist, report
    from lenet_tensorflow import lenet5, losses, use_threads

    use_threads(1)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    own = slice(args.rank, None, args.threads)
    images, labels = mnist(args.data)
    images, labels = batches(images[own], labels[own], args.batch // args.threads)
    images = [tf.constant(each) for each in images[..., None]]
    labels = [tf.constant(each) for each in labels]
    with strategy.scope():
        model = lenet5()
        optimizer = tf.keras.optimizers.legacy.SGD(0.01, momentum=0.9)

    def replica(images, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(losses(labels, model(images, training=True))) / args.batch
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))

    @tf.function
    def train(images, labels):
        strategy.run(replica, (images, labels))

    @tf.function
    def mean(value):
        own = strategy.run(lambda: value)
        return strategy.reduce(tf.distribute.ReduceOp.MEAN, own, axis=None)

    def agree(value):
        return mean(tf.constant(value, tf.float32)).numpy()

    def step(index):
        train(images[index % len(images)], labels[index % len(labels)])

    measured = measure_together(step, args.seconds, agree)
    if args.rank == 0:
        report(*measured, args.batch, f"TensorFlow {tf.__version__}")


def free_ports(count):
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def start_workers(count):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    workers = []
    for rank in range(count):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
        command = [sys.executable, *sys.argv, "--rank", str(rank)]
        workers.append(subprocess.Popen(command, env=environment))
    return max(worker.wait() for worker in workers)


if __name__ == "__main__":
    from common import arguments

    args = arguments(rank=-1)
    if args.rank < 0:
        sys.exit(start_workers(args.threads))
    worker_main(args)
