import { tablesOf } from '../../src/data/normalise.js';
import { LANES } from '../../src/engine/ir/types.js';
import { type Engine, updateAll } from '../../src/engine/engine.js';
import { CHECK_VALUES, slicesOf } from '../../src/engine/kernels/optimizer.js';
import { CORRECT, LOSS } from '../../src/engine/program.js';
import { type Compiled, compileForWasm } from '../../src/engine/wasm/compile.js';
import { instantiate } from '../../src/engine/wasm/instance.js';
import { type Model, sizeOf } from '../../src/model/model.js';
import type { OptimizerName } from '../../src/optim/optimizer.js';
import { stateSlots } from '../../src/optim/optimizer.js';
import type { Draw } from '../reference/dropout.js';
import { kinkMargin } from '../reference/kinks.js';
import { randomWeights } from '../reference/problems.js';
import { randomNumbers } from '../reference/random.js';

/** Samples as the engine takes them: bytes, and the value that each byte stands for. */
export interface ByteProblem {
  readonly model: Model;
  readonly weights: Float64Array;
  readonly table: Float32Array;
  readonly bytes: readonly Uint8Array[];
  readonly labels: readonly number[];
}

/** The samples as the reference takes them. */
export function imagesOf({ model, bytes, table }: ByteProblem): Float64Array[] {
  return bytes.map((image) => valuesOf(image, table, model));
}

/** Each channel has a table of its own, or one serves all of them. */
function valuesOf(image: Uint8Array, table: Float32Array, { spec }: Model): Float64Array {
  const tables = tablesOf(spec.input[2]);
  return Float64Array.from(image, (byte, index) => table[(index % tables) * 256 + byte] ?? NaN);
}

/** Far enough from the kinks of relu and max-pool that float32 takes the same side of them. */
const MARGIN = 1e-5;

/** What dropout's random numbers depend on: words that fill 32 bits. */
export const DRAW: Draw = { seed: 0xdeadbeef, step: 0x89abcdef, place: 24 };

export function byteProblem(model: Model, samples: number, seed: number): ByteProblem {
  const next = randomNumbers(seed);
  const weights = randomWeights(model, Math.floor(next() * 2 ** 32));
  const table = Float32Array.from(
    { length: 256 * tablesOf(model.spec.input[2]) },
    () => 4 * next() - 2,
  );
  const size = sizeOf(model.spec.input);
  const draw = (): Uint8Array => Uint8Array.from({ length: size }, () => next() * 256);
  const bytes = Array.from({ length: samples }, (_, index) => {
    const own = { ...DRAW, place: DRAW.place + index };
    for (let attempt = 0; attempt < 1000; attempt++) {
      const image = draw();
      const values = valuesOf(image, table, model);
      const margin = Math.min(
        kinkMargin(model, weights, values),
        kinkMargin(model, weights, values, own),
      );
      if (margin >= MARGIN) return image;
    }
    throw new Error('Every image is near a kink.');
  });
  const labels = Array.from({ length: samples }, () => Math.floor(next() * model.classes));
  return { model, weights, table, bytes, labels };
}

/** A compiled model in a memory of its own, one micro-batch at a time. */
export class EngineUnderTest {
  readonly engine: Engine;
  readonly memory: WebAssembly.Memory;
  readonly #model: Model;
  readonly #compiled: Compiled;
  #end = 64;

  private constructor(model: Model, compiled: Compiled) {
    this.#model = model;
    this.#compiled = compiled;
    this.memory = new WebAssembly.Memory({ initial: 256, maximum: 65_536, shared: true });
    this.engine = instantiate(compiled.module, this.memory);
  }

  static async create(model: Model, optimizer: OptimizerName = 'sgd'): Promise<EngineUnderTest> {
    return new EngineUnderTest(model, await compileForWasm(model, optimizer));
  }

  /** Room for so many float32 values. */
  floats(count: number): { place: number; values: Float32Array } {
    const place = this.#end;
    this.#end += Math.ceil((count * 4) / 64) * 64;
    const missing = this.#end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65_536));
    return { place, values: new Float32Array(this.memory.buffer, place, count) };
  }

  /** Loss, correct answers and gradients, summed over the samples in float64. */
  gradients(problem: ByteProblem): { loss: number; correct: number; gradient: Float64Array } {
    const { parameterCount } = this.#model;
    const piece = this.floats(this.#compiled.program.pieceSize);
    const run = this.#microBatches(problem);
    const gradient = new Float64Array(parameterCount);
    let loss = 0;
    let correct = 0;
    const draws = this.floats(3);
    for (const [index, call] of run.entries()) {
      const first = DRAW.place + index * LANES;
      new Uint32Array(this.memory.buffer, draws.place, 3).set([DRAW.seed, DRAW.step, first]);
      // What an earlier use left in a piece must not matter.
      piece.values.fill(NaN);
      this.engine.gradients(...call, piece.place, draws.place);
      for (let place = 0; place < parameterCount; place++) {
        gradient[place] = (gradient[place] ?? 0) + (piece.values[place] ?? NaN);
      }
      loss += piece.values[parameterCount + LOSS] ?? NaN;
      correct += piece.values[parameterCount + CORRECT] ?? NaN;
    }
    return { loss, correct, gradient };
  }

  evaluate(problem: ByteProblem): { loss: number; correct: number; classes: number[] } {
    const out = this.floats(16);
    let loss = 0;
    let correct = 0;
    const classes: number[] = [];
    for (const call of this.#microBatches(problem)) {
      this.engine.evaluate(...call, out.place);
      loss += out.values[0] ?? NaN;
      correct += out.values[1] ?? NaN;
      classes.push(...out.values.subarray(2, 2 + LANES));
    }
    return { loss, correct, classes: classes.slice(0, problem.labels.length) };
  }

  /** One optimizer step; `state` goes in and comes out. */
  update(
    weights: Float32Array,
    gradient: Float32Array,
    state: Float32Array,
    hyper: Float32Array,
  ): { weights: Float32Array; state: Float32Array; finite: boolean } {
    const places = [weights, gradient, state, hyper].map((values) => {
      const room = this.floats(values.length);
      room.values.set(values);
      return room;
    });
    const slices = slicesOf(weights.length);
    const check = this.floats(slices * CHECK_VALUES);
    check.values.fill(0);
    const [w, g, s, h] = places;
    if (!w || !g || !s || !h) throw new Error('There is no room.');
    updateAll(this.engine, slices, w.place, g.place, s.place, h.place, check.place);
    return {
      weights: w.values.slice(),
      state: s.values.slice(),
      finite: check.values.every((value) => value === 0),
    };
  }

  #microBatches({ weights, table, bytes, labels }: ByteProblem) {
    const { program } = this.#compiled;
    const size = sizeOf(this.#model.spec.input);
    const w = this.floats(weights.length);
    w.values.set(weights);
    const t = this.floats(table.length);
    t.values.set(table);
    const images = this.floats(Math.ceil((bytes.length * size) / 4));
    const l = this.floats(Math.ceil(labels.length / 4));
    const memory = new Uint8Array(this.memory.buffer);
    bytes.forEach((image, index) => {
      memory.set(image, images.place + index * size);
    });
    memory.set(labels, l.place);
    const work = this.floats(program.workSize).place;
    const calls = Math.ceil(bytes.length / LANES);
    return Array.from({ length: calls }, (_, index) => {
      const count = Math.min(LANES, bytes.length - index * LANES);
      const indices = this.floats(LANES);
      new Uint32Array(this.memory.buffer, indices.place, LANES).set(
        Array.from({ length: LANES }, (__, lane) => index * LANES + (lane < count ? lane : 0)),
      );
      return [w.place, images.place, l.place, t.place, indices.place, count, work] as const;
    });
  }
}

/** Arrays of optimizer state for so many weights. */
export function emptyState(optimizer: OptimizerName, weights: number): Float32Array {
  return new Float32Array(stateSlots[optimizer] * weights);
}
