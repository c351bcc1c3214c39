import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Model } from '../../src/model/model.js';
import { sigmoid } from '../reference/activations.js';
import { forward } from '../reference/reference.js';
import { softmax } from '../reference/softmax.js';
import { temporaryFolder } from './helpers.js';

// Without TensorFlow.js' advice to install another backend.
tf.enableProdMode();

/** Starts a web server for the running test; returns its URL. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/`;
}

/** Has TensorFlow.js load the model.json at `path`, over HTTP. */
export async function loadInTensorFlow(path: string): Promise<LayersModel> {
  const url = await serve((request, response) => {
    readFile(join(dirname(path), basename(request.url ?? ''))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  return loadLayersModel(`${url}model.json`);
}

/**
 * Has TensorFlow.js save a model, over HTTP, into a new folder; returns the path of its
 * model.json, beside which TensorFlow.js puts `model.weights.bin`.
 */
export async function saveInTensorFlow(
  model: LayersModel,
  config?: tf.io.SaveConfig,
): Promise<string> {
  const folder = await temporaryFolder();
  const url = await serve((request, response) => {
    const save = async () => {
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      const form = await new Response(await buffer(request), { headers }).formData();
      for (const part of form.values()) {
        if (typeof part === 'string') continue;
        await writeFile(join(folder, part.name), Buffer.from(await part.arrayBuffer()));
      }
    };
    save().then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await model.save(url, config);
  return join(folder, 'model.json');
}

/** What TensorFlow.js predicts for images that lie one after the other in `pixels`. */
export function predict(model: LayersModel, pixels: Float32Array): Float32Array {
  return tf.tidy(() => {
    const [, ...shape] = model.inputs[0]?.shape ?? [];
    const output = model.predict(tf.reshape(tf.tensor1d(pixels), [-1, ...shape.map(Number)]));
    return (output as tf.Tensor).dataSync<'float32'>();
  });
}

/** The same in float64: a model's outputs, and what its loss contains of them. */
export function probabilities(
  model: Model,
  weights: Float32Array,
  pixels: Float32Array,
): Float64Array {
  const [rows, columns, channels] = model.spec.input;
  const size = rows * columns * channels;
  const images = Array.from({ length: pixels.length / size }, (_, index) =>
    Float64Array.from(pixels.subarray(index * size, (index + 1) * size)),
  );
  const end = {
    softmaxCrossEntropy: (outputs: Float64Array) => softmax(outputs.length, outputs),
    binaryCrossEntropy: (outputs: Float64Array) => outputs.map(sigmoid),
    meanSquaredError: (outputs: Float64Array) => outputs,
  }[model.loss];
  return Float64Array.from(
    images.flatMap((image) => [...end(forward(model, Float64Array.from(weights), image))]),
  );
}
