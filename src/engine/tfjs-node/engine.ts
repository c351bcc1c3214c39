import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dropoutFactors } from '../dropout-factors.js';
import type { Place, SampleCall, Surroundings, ThreadEngine } from '../engine.js';
import { SampleReader } from '../sample-reader.js';
import type { DrawnDropout } from './dropouts.js';
import type { TfjsNodeEngine } from './prepare.js';
import { signatures, TAG } from './saved-model.js';

interface Tensor {
  dataSync(): Float32Array | Int32Array;
  dispose(): void;
}

type NamedTensors = Readonly<Record<string, Tensor>>;

interface Graph {
  predict(inputs: NamedTensors): NamedTensors;
}

type Graphs = Readonly<Record<'gradients' | 'evaluate', Graph>>;

/** What is used of `@tensorflow/tfjs-node`: nothing that runs a single operation. */
interface TensorFlow {
  tensor(values: Float32Array, shape: readonly number[], type: 'float32'): Tensor;
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
    const { layout, parameterCount, dropouts } = engine;
    const reader = new SampleReader(surroundings, layout, parameterCount);
    return new GraphEngine(tf, { gradients, evaluate }, dropouts, reader);
  } finally {
    await rm(folder, { recursive: true });
  }
}

class GraphEngine implements ThreadEngine {
  readonly #tf: TensorFlow;
  readonly #graphs: Graphs;
  readonly #dropouts: readonly DrawnDropout[];
  readonly #reader: SampleReader;

  constructor(
    tf: TensorFlow,
    graphs: Graphs,
    dropouts: readonly DrawnDropout[],
    reader: SampleReader,
  ) {
    this.#tf = tf;
    this.#graphs = graphs;
    this.#reader = reader;
    this.#dropouts = dropouts;
  }

  gradients(call: SampleCall, piece: Place, draws: Place): void {
    const { samples, labels } = this.#reader.read(call);
    const { gradient, loss, correct } = this.#run(
      'gradients',
      samples,
      labels,
      this.#factors(draws, labels.length),
    );
    const values = Float32Array.from(gradient ?? []);
    this.#reader.writePiece(piece, values, loss?.[0] ?? NaN, correct?.[0] ?? NaN);
  }

  evaluate(call: SampleCall, out: Place): void {
    const { samples, labels } = this.#reader.read(call);
    const { losses = [], classes = [] } = this.#run('evaluate', samples, labels);
    this.#reader.writeRows(out, labels, losses, classes);
  }

  /** What the dropout layers multiply by, as inputs of the graph. */
  #factors(draws: Place, samples: number): NamedTensors {
    const chance = this.#reader.chance(draws);
    return Object.fromEntries(
      this.#dropouts.map(({ input, layer, draw, shape }) => {
        const values = dropoutFactors(layer, draw, shape, chance, samples);
        return [input, this.#tf.tensor(values, [samples, ...shape], 'float32')];
      }),
    );
  }

  #run(
    graph: 'gradients' | 'evaluate',
    samples: Float32Array,
    labels: Uint8Array,
    factors: NamedTensors = {},
  ): Readonly<Record<string, Float32Array | Int32Array>> {
    const inputs = {
      weights: this.#tf.tensor1d(this.#reader.weights, 'float32'),
      samples: this.#tf.tensor1d(samples, 'float32'),
      labels: this.#tf.tensor1d(Int32Array.from(labels), 'int32'),
      count: this.#tf.scalar(labels.length, 'int32'),
      ...factors,
    };
    const outputs = this.#graphs[graph].predict(inputs);
    const values = Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [name, tensor.dataSync()]),
    );
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.dispose();
    return values;
  }
}
