import { byteTable, tablesOf } from '../data/normalise.js';
import { initialWeights } from '../model/initial-weights.js';
import { type Model, sizeOf } from '../model/model.js';
import { type OptimizerName, stateSlots, stepHyperparameters } from '../optim/optimizer.js';
import {
  type Engine,
  EVALUATION_ROW,
  type GradientPlaces,
  PAGE,
  type Place,
  updateAll,
} from './engine.js';
import { LANES } from './ir/types.js';
import { CHECK_VALUES, slicesOf } from './kernels/optimizer.js';
import { pieceSizeOf } from './program.js';

/** A micro-batch, and one that is not full. */
const SAMPLES = 2 * LANES - 3;
const HYPER = { momentum: 0.9, weightDecay: 0.01 };

/** A small batch in a memory where engines can work on it in turn. */
export class ProbeMemory {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  readonly #firstWeights: Float32Array;
  readonly #parameters: number;
  readonly #stateValues: number;
  readonly #places: Record<
    | 'weights'
    | 'images'
    | 'labels'
    | 'table'
    | 'indices'
    | 'left'
    | 'right'
    | 'state'
    | 'hyper'
    | 'check'
    | 'out'
    | 'draws',
    Place
  >;
  #end = 64;

  constructor(model: Model, optimizer: OptimizerName) {
    const size = sizeOf(model.spec.input);
    const piece = new Float32Array(pieceSizeOf(model.parameterCount));
    this.#parameters = model.parameterCount;
    this.#firstWeights = initialWeights(model, 1);
    this.#stateValues = stateSlots[optimizer] * model.parameterCount;
    const noise = Uint8Array.from(
      { length: SAMPLES * size },
      (_, index) => Math.imul(index + 1, 2_654_435_761) >>> 24,
    );
    const [, , channels] = model.spec.input;
    const each = (value: number): number[] => new Array<number>(tablesOf(channels)).fill(value);
    const table = byteTable({ scale: 255, mean: each(0.5), deviation: each(0.25) });
    const indices = Uint32Array.from({ length: 2 * LANES }, (_, index) => index % SAMPLES);
    this.#places = {
      weights: this.floats(this.#firstWeights),
      images:
        model.spec.inputType === 'float32'
          ? this.floats(Float32Array.from(noise, (byte) => table[byte] ?? 0))
          : this.bytes(noise),
      labels: this.bytes(Uint8Array.from({ length: SAMPLES }, (_, index) => index % model.classes)),
      table: this.floats(table),
      indices: this.bytes(new Uint8Array(indices.buffer)),
      left: this.floats(piece),
      right: this.floats(piece),
      state: this.floats(new Float32Array(this.#stateValues)),
      hyper: this.floats(stepHyperparameters(HYPER, 0.01, SAMPLES, 0)),
      check: this.floats(new Float32Array(slicesOf(this.#parameters) * CHECK_VALUES)),
      out: this.floats(new Float32Array(EVALUATION_ROW)),
      draws: this.bytes(new Uint8Array(Uint32Array.of(1, 2, 0, 1, 2, LANES).buffer)),
    };
  }

  /** A place with these values. */
  floats(values: Float32Array): Place {
    return this.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  bytes(values: Uint8Array): Place {
    const place = this.#end;
    this.#end = Math.ceil((place + values.length) / 64) * 64;
    const missing = this.#end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    new Uint8Array(this.memory.buffer).set(values, place);
    return place;
  }

  /** The arguments of `gradients`, which sums into the left piece. */
  gradientArguments(work: Place): GradientPlaces {
    const { weights, images, labels, table, indices, left, draws } = this.#places;
    return [weights, images, labels, table, indices, SAMPLES, work, left, draws];
  }

  /** The sum of both micro-batches' gradients, in the left piece. */
  gradients(engine: Engine, work: Place, pairWork: Place | undefined): void {
    const { weights, images, labels, table, indices, left, right, draws } = this.#places;
    const common = [weights, images, labels, table] as const;
    if (pairWork !== undefined && engine.gradientsOfPair) {
      engine.gradientsOfPair(...common, indices, SAMPLES, pairWork, left, draws);
      return;
    }
    engine.gradients(...common, indices, LANES, work, left, draws);
    const second = indices + 4 * LANES;
    engine.gradients(...common, second, SAMPLES - LANES, work, right, draws + 3 * 4);
    engine.add(left, right);
  }

  /** All that a step computes from the first weights on, bit by bit. */
  step(engine: Engine, work: Place, pairWork: Place | undefined): Uint32Array {
    const { weights, images, labels, table, indices, left, state, hyper, check, out } =
      this.#places;
    new Float32Array(this.memory.buffer, weights, this.#parameters).set(this.#firstWeights);
    new Float32Array(this.memory.buffer, state, this.#stateValues).fill(0);
    this.gradients(engine, work, pairWork);
    const words = (place: Place, count: number): Uint32Array =>
      new Uint32Array(this.memory.buffer, place, count).slice();
    const sums = words(left, this.#parameters + 2);
    updateAll(engine, slicesOf(this.#parameters), weights, left, state, hyper, check);
    engine.evaluate(weights, images, labels, table, indices, LANES, work, out);
    const results = [
      sums,
      words(weights, this.#parameters),
      words(state, this.#stateValues),
      words(out, 2 + LANES),
    ];
    const all = new Uint32Array(results.reduce((sum, { length }) => sum + length, 0));
    let filled = 0;
    for (const part of results) {
      all.set(part, filled);
      filled += part.length;
    }
    return all;
  }
}
