import { startTfjsNode } from '../../../src/engine/tfjs-node/engine.js';
import { prepareTfjsNode } from '../../../src/engine/tfjs-node/prepare.js';
import { LANES } from '../../../src/engine/ir/types.js';
import { type ByteProblem, DRAW } from '../harness.js';

const ROW = 16;

export interface Sums {
  readonly loss: number;
  readonly correct: number;
  readonly gradient: Float32Array;
}

/** What TensorFlow makes of a problem's samples, all in one call. */
export async function tensorflowOn(problem: ByteProblem): Promise<{
  readonly sums: Sums;
  /** Rows of evaluated micro-batches. */
  readonly rows: readonly Float32Array[];
}> {
  const { model, weights, table, bytes, labels } = problem;
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536, shared: true });
  let end = 64;
  const place = (content: Uint8Array): number => {
    const at = end;
    end += Math.ceil(content.length / 64) * 64;
    new Uint8Array(memory.buffer).set(content, at);
    return at;
  };
  const floats = (values: ArrayLike<number>): number =>
    place(new Uint8Array(Float32Array.from(values).buffer));
  const surroundings = { memory, weights: floats(weights), table: floats(table) };
  const samples = {
    images: place(Uint8Array.from(bytes.flatMap((image) => Array.from(image)))),
    labels: place(Uint8Array.from(labels)),
    indices: place(new Uint8Array(Uint32Array.from(labels, (_, index) => index).buffer)),
    count: labels.length,
  };
  const piece = floats(new Float32Array(model.parameterCount + 2).fill(NaN));
  const words = Uint32Array.of(DRAW.seed, DRAW.step, DRAW.place);
  const draws = place(new Uint8Array(words.buffer));
  const microBatches = Math.ceil(labels.length / LANES);
  const out = floats(new Float32Array(microBatches * ROW).fill(NaN));
  const engine = await startTfjsNode(prepareTfjsNode(model), surroundings);
  engine.gradients(samples, piece, draws);
  engine.evaluate(samples, out);
  const values = (from: number, count: number): Float32Array =>
    new Float32Array(memory.buffer, from, count).slice();
  const [loss = NaN, correct = NaN] = values(piece + 4 * model.parameterCount, 2);
  return {
    sums: { loss, correct, gradient: values(piece, model.parameterCount) },
    rows: Array.from({ length: microBatches }, (_, row) => values(out + row * ROW * 4, ROW)),
  };
}
