import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LANES } from '../ir/types.js';
import type { Place, SampleCall, Surroundings, ThreadEngine } from '../engine.js';
import type { TfjsNodeEngine } from './prepare.js';
import { readSample } from '../sample-values.js';
import { signatures, TAG } from './saved-model.js';

/** Float32 values of an evaluated micro-batch: loss, correct answers, each lane's class. */
const ROW = 16;

interface Tensor {
  dataSync(): Float32Array | Int32Array;
  dispose(): void;
}

interface Graph {
  predict(inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>>;
}

type Graphs = Readonly<Record<'gradients' | 'evaluate', Graph>>;

/** What is used of `@tensorflow/tfjs-node`: nothing that runs a single operation. */
interface TensorFlow {
  tensor1d(values: Float32Array | Int32Array, type: 'float32' | 'int32'): Tensor;
  scalar(value: number, type: 'int32'): Tensor;
  readonly node: {
    loadSavedModel(folder: string, tags: string[], signature: string): Promise<Graph>;
  };
}

/** Starts TensorFlow in the calling thread, which must be one of the process that prepared it. */
export async function startTfjsNode(
  engine: TfjsNodeEngine,
  surroundings: Surroundings,
): Promise<ThreadEngine> {
  const tf = createRequire(import.meta.url)(engine.folder) as TensorFlow;
  const folder = await mkdtemp(path.join(tmpdir(), 'dtrain-graph-'));
  try {
    await writeFile(path.join(folder, 'saved_model.pb'), engine.savedModel);
    const load = (signature: string): Promise<Graph> =>
      tf.node.loadSavedModel(folder, [TAG], signature);
    const gradients = await load(signatures.gradients);
    const evaluate = await load(signatures.evaluate);
    return new GraphEngine(tf, { gradients, evaluate }, engine, surroundings);
  } finally {
    await rm(folder, { recursive: true });
  }
}

class GraphEngine implements ThreadEngine {
  readonly #tf: TensorFlow;
  readonly #graphs: Graphs;
  readonly #engine: TfjsNodeEngine;
  readonly #surroundings: Surroundings;
  /** Of this thread's own memory: TensorFlow takes no shared one. */
  readonly #weights: Float32Array;
  #samples = new Float32Array();

  constructor(tf: TensorFlow, graphs: Graphs, engine: TfjsNodeEngine, surroundings: Surroundings) {
    this.#tf = tf;
    this.#graphs = graphs;
    this.#engine = engine;
    this.#surroundings = surroundings;
    this.#weights = new Float32Array(engine.parameterCount);
  }

  gradients(samples: SampleCall, piece: Place): void {
    const { parameterCount } = this.#engine;
    const { labels } = this.#gather(samples);
    const { gradient, loss, correct } = this.#run('gradients', labels);
    const values = new Float32Array(this.#surroundings.memory.buffer, piece, parameterCount + 2);
    values.set(gradient ?? []);
    values.set([loss?.[0] ?? NaN, correct?.[0] ?? NaN], parameterCount);
  }

  evaluate(samples: SampleCall, out: Place): void {
    const { labels } = this.#gather(samples);
    const { losses = [], classes = [] } = this.#run('evaluate', labels);
    const { count } = samples;
    const rows = new Float32Array(
      this.#surroundings.memory.buffer,
      out,
      Math.ceil(count / LANES) * ROW,
    );
    rows.fill(0);
    for (let sample = 0; sample < count; sample++) {
      const row = Math.floor(sample / LANES) * ROW;
      const found = classes[sample] ?? NaN;
      rows[row] = (rows[row] ?? 0) + (losses[sample] ?? NaN);
      rows[row + 1] = (rows[row + 1] ?? 0) + (found === labels[sample] ? 1 : 0);
      rows[row + 2 + (sample % LANES)] = found;
    }
  }

  #gather({ images, labels, indices, count }: SampleCall): { labels: Int32Array } {
    const { memory, table, weights } = this.#surroundings;
    const { layout, parameterCount } = this.#engine;
    const { buffer } = memory;
    const numbers = new Uint32Array(buffer, indices, count);
    const bytes = new Uint8Array(buffer);
    this.#weights.set(new Float32Array(buffer, weights, parameterCount));
    if (this.#samples.length !== count * layout.values) {
      this.#samples = new Float32Array(count * layout.values);
    }
    const found = new Int32Array(count);
    for (let sample = 0; sample < count; sample++) {
      const number = numbers[sample] ?? 0;
      found[sample] = bytes[labels + number] ?? 0;
      const target = this.#samples.subarray(sample * layout.values);
      readSample(buffer, layout, images + number * layout.bytes, table, target);
    }
    return { labels: found };
  }

  #run(
    graph: 'gradients' | 'evaluate',
    labels: Int32Array,
  ): Readonly<Record<string, Float32Array | Int32Array>> {
    const inputs = {
      weights: this.#tf.tensor1d(this.#weights, 'float32'),
      samples: this.#tf.tensor1d(this.#samples, 'float32'),
      labels: this.#tf.tensor1d(labels, 'int32'),
      count: this.#tf.scalar(labels.length, 'int32'),
    };
    const outputs = this.#graphs[graph].predict(inputs);
    const values = Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [name, tensor.dataSync()]),
    );
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.dispose();
    return values;
  }
}
