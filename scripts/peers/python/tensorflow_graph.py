"""TensorFlow: the whole training step as one tf.function, over batches cut beforehand."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from common import arguments, batches, measure, mnist, report
from lenet_tensorflow import lenet5, losses, use_threads

args = arguments()
use_threads(args.threads)
images, labels = batches(*mnist(args.data), args.batch)
images = [tf.constant(each) for each in images[..., None]]
labels = [tf.constant(each) for each in labels]
model = lenet5()
momenta = [tf.Variable(tf.zeros_like(each)) for each in model.trainable_variables]


@tf.function
def train(images, labels):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(losses(labels, model(images, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    # The fused update; Keras's own optimizer takes several operations for each variable.
    for variable, momentum, gradient in zip(model.trainable_variables, momenta, gradients):
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle, accum=momentum.handle, lr=0.01, grad=gradient, momentum=0.9
        )
    return loss


def step(index):
    train(images[index % len(images)], labels[index % len(labels)])


report(*measure(step, args.seconds), args.batch, f"TensorFlow {tf.__version__}")
