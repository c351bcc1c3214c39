"""TensorFlow: 50 training steps in a tf.function, so that Python costs nothing, over batches cut beforehand."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from common import arguments, batches, measure, mnist, report
from lenet_tensorflow import lenet5, losses, use_threads

STEPS = 50

args = arguments()
use_threads(args.threads)
images, labels = batches(*mnist(args.data), args.batch)
count = len(images)
images, labels = tf.constant(images[..., None]), tf.constant(labels)
model = lenet5()
# The legacy optimizer's update is one fused operation for each variable.
optimizer = tf.keras.optimizers.legacy.SGD(0.01, momentum=0.9)


@tf.function
def train(first):
    for index in tf.range(first, first + STEPS) % count:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(losses(labels[index], model(images[index], training=True)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))


def steps(index):
    train(tf.constant(index * STEPS))


report(*measure(steps, args.seconds), STEPS * args.batch, f"TensorFlow {tf.__version__}")
