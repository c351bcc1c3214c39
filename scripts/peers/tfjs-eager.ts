/**
 * TensorFlow.js on libtensorflow, eager: the same arguments and the same line as the Python peers.
 * Run with `--package`, the folder of `@tensorflow/tfjs-node`.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { loadMnistFolder } from '../../dist/src/data/mnist-folder.js';
import { MNIST_FILES } from '../../dist/src/data/mnist-files.js';
import { byteTable, MNIST_NORMALISATION } from '../../dist/src/data/normalise.js';

const WARM_UP_SECONDS = 1.5;

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    batch: { type: 'string', default: '64' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    package: { type: 'string', default: '' },
  },
});
const batch = Number(values.batch);
process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
process.env.TF_NUM_INTRAOP_THREADS = values.threads;
process.env.TF_NUM_INTEROP_THREADS = values.threads;
const tf = createRequire(import.meta.url)(values.package) as typeof Tfjs & {
  readonly version: Record<string, string>;
};

function kernel(...shape: number[]): Tfjs.Variable {
  const limit = Math.sqrt(3 / shape.slice(0, -1).reduce((product, each) => product * each));
  return tf.variable(tf.randomUniform(shape, -limit, limit));
}

const bias = (units: number): Tfjs.Variable => tf.variable(tf.zeros([units]));
const weights = {
  kernels: [
    kernel(5, 5, 1, 6),
    kernel(5, 5, 6, 16),
    kernel(400, 120),
    kernel(120, 84),
    kernel(84, 10),
  ] as [Tfjs.Variable, Tfjs.Variable, Tfjs.Variable, Tfjs.Variable, Tfjs.Variable],
  biases: [bias(6), bias(16), bias(120), bias(84), bias(10)] as const,
};

function logits(images: Tfjs.Tensor4D): Tfjs.Tensor2D {
  const { kernels: k, biases: b } = weights;
  const convolve = (x: Tfjs.Tensor4D, at: 0 | 1, padding: 'same' | 'valid'): Tfjs.Tensor4D => {
    const sum = tf.add(tf.conv2d(x, k[at] as Tfjs.Tensor4D, 1, padding), b[at]);
    return tf.maxPool(tf.relu(sum) as Tfjs.Tensor4D, 2, 2, 'valid');
  };
  const dense = (x: Tfjs.Tensor, at: 2 | 3 | 4): Tfjs.Tensor2D =>
    tf.add(tf.matMul(x, k[at] as Tfjs.Tensor), b[at]);
  const features = convolve(convolve(images, 0, 'same'), 1, 'valid');
  const flat = tf.reshape(features, [-1, 400]);
  return dense(tf.relu(dense(tf.relu(dense(flat, 2)), 3)), 4);
}

const { train } = await loadMnistFolder(values.data, MNIST_FILES);
const table = byteTable(MNIST_NORMALISATION);
const batches = Array.from({ length: Math.floor(train.count / batch) }, (_, index) => {
  const pixels = train.images.subarray(index * batch * 784, (index + 1) * batch * 784);
  const labels = train.labels.subarray(index * batch, (index + 1) * batch);
  return {
    images: tf.tensor4d(
      Float32Array.from(pixels, (byte) => table[byte] ?? 0),
      [batch, 28, 28, 1],
    ),
    labels: tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(labels), 'int32'), 10), 'float32'),
  };
});
const optimizer = tf.train.momentum(0.01, 0.9);

function step(index: number): void {
  const one = batches[index % batches.length];
  if (!one) throw new Error('There is less than one batch.');
  const { images, labels } = one;
  optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, logits(images)));
}

function timed(seconds: number, first: number): { count: number; seconds: number } {
  const since = performance.now();
  let count = 0;
  while (performance.now() - since < seconds * 1000) step(first + count++);
  return { count, seconds: (performance.now() - since) / 1000 };
}

const warm = timed(WARM_UP_SECONDS, 0);
const { count, seconds } = timed(Number(values.seconds), warm.count);
const version = `tfjs-node ${tf.version['tfjs-node'] ?? '?'}`;
const samples = count * batch;
console.log(JSON.stringify({ samplesPerSecond: samples / seconds, samples, seconds, version }));
