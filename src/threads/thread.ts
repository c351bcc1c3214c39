import { type Batch, batchOf } from '../data/batches.js';
import { epochOrder } from '../data/order.js';
import { LANES } from '../engine/ir/types.js';
import type { Engine, Place, SamplePlaces } from '../engine/engine.js';
import { CORRECT, LOSS } from '../engine/program.js';
import type { NativeLibrary } from '../engine/native/build.js';
import { coveringNodes, parentOf, type TreeNode } from '../reduce/tree.js';
import { Control, jobKinds, nodeWord, nodeWords } from './control.js';
import {
  EVALUATION_ROW,
  HYPER_ROW,
  type MemoryPlan,
  piecesInFlight,
  type SampleSet,
  updateWasFinite,
} from './memory.js';
import { engineIn } from './engine-in.js';
import { PhaseClock } from './phases.js';
import { PieceSlots } from './piece-slots.js';
import { ticketsOf, workOf } from './tickets.js';

/** What a thread is given when it starts. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly library: NativeLibrary | undefined;
  readonly memory: WebAssembly.Memory;
  readonly plan: MemoryPlan;
  readonly index: number;
  /** Looks at the control word before a thread sleeps. */
  readonly spins: number;
  readonly seed: number;
  readonly batch: number;
  readonly parameterCount: number;
  readonly microBatches: number;
}

/** The task of one thread, from the start of the run to its end. */
export default function runThread(start: ThreadStart): void {
  new ComputeThread(start).run();
}

class ComputeThread {
  readonly #start: ThreadStart;
  readonly #plan: MemoryPlan;
  readonly #engine: Engine;
  readonly #control: Control;
  readonly #slots: PieceSlots;
  readonly #nodes: Int32Array;
  readonly #indices: Uint32Array;
  /** As DRAW_WORDS has them. */
  readonly #draws: Uint32Array;
  readonly #floats: Float32Array;
  readonly #words: Uint32Array;
  readonly #work: Place;
  readonly #pairWork: Place;
  readonly #pairs: boolean;
  readonly #indicesPlace: Place;
  readonly #clock: PhaseClock;
  /** Each thread takes its slots from another one on, which it then finds in its cache. */
  readonly #firstSlot: number;
  #order: { epoch: number; sampleAt: (place: number) => number } | undefined;

  constructor(start: ThreadStart) {
    const { memory, module, library, plan, index, microBatches } = start;
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    const own = plan.perThread[index];
    if (!own) throw new Error(`There is no memory for thread ${index}.`);
    this.#start = start;
    this.#plan = plan;
    this.#engine = engineIn(memory, module, library);
    this.#pairs = this.#engine.gradientsOfPair !== undefined;
    this.#control = new Control(buffer, plan.control);
    this.#slots = new PieceSlots(memory, plan.slots);
    this.#nodes = new Int32Array(buffer, plan.nodes, nodeWords(microBatches));
    this.#indices = new Uint32Array(buffer, own.indices, 2 * LANES);
    this.#draws = new Uint32Array(buffer, own.draws, 3);
    this.#floats = new Float32Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#work = own.work;
    this.#pairWork = own.pairWork;
    this.#indicesPlace = own.indices;
    this.#clock = new PhaseClock(buffer, own.clock);
    const threads = plan.perThread.length;
    this.#firstSlot = Math.floor((index * piecesInFlight(threads, microBatches)) / threads);
  }

  run(): void {
    const control = this.#control;
    for (;;) {
      const seen = control.get('generation');
      if (control.get('stop') === 1) return;
      for (let ticket = control.takeTicket(); ticket !== undefined; ticket = control.takeTicket()) {
        if (control.get('kind') === jobKinds.evaluate) this.#evaluate(ticket);
        else this.#microBatch(ticket);
      }
      control.wait('generation', seen, this.#start.spins);
    }
  }

  #evaluate(ticket: number): void {
    const set = this.#control.get('set') === 0 ? this.#plan.test : this.#plan.validation;
    const first = ticket * LANES;
    const count = Math.min(LANES, set.count - first);
    this.#gather(set, LANES, count, (lane) => first + lane);
    const out = this.#plan.evaluation + ticket * EVALUATION_ROW * 4;
    this.#engine.evaluate(...this.#samples(set, count, this.#work), out);
    if (this.#control.add('unfinished', -1) === 1) this.#control.raise('finished');
  }

  #microBatch(ticket: number): void {
    const since = performance.now();
    const batch = this.#batchOf(this.#control.get('step'));
    const range = [this.#control.get('first'), this.#control.get('last')] as const;
    const { leaf, pair, node } = workOf(this.#inBlocks(ticket), ...range, this.#pairs);
    const set = this.#plan.training;
    const first = leaf * LANES;
    const lanes = pair ? 2 * LANES : LANES;
    const count = Math.min(lanes, batch.samples - first);
    const order = this.#orderOf(batch.epoch);
    this.#gather(set, lanes, count, (lane) => order(batch.first + first + lane));
    const piece = this.#slots.take(this.#firstSlot);
    this.#draws.set([this.#start.seed, this.#control.get('step'), first]);
    const draws = this.#draws.byteOffset;
    if (pair) {
      this.#engine.gradientsOfPair?.(...this.#samples(set, count, this.#pairWork), piece, draws);
    } else this.#engine.gradients(...this.#samples(set, count, this.#work), piece, draws);
    this.#clock.add('compute', since);
    this.#reduce(node, piece, batch);
  }

  /**
   * Tickets go round the threads; their work is dealt so that each thread gets neighbours if all are
   * equally fast. Then most sums are of pieces that are in the adding core's own cache.
   */
  #inBlocks(ticket: number): number {
    const count = this.#control.get('count');
    const threads = this.#plan.perThread.length;
    const block = ticket % threads;
    const least = Math.floor(count / threads);
    return block * least + Math.min(block, count % threads) + Math.floor(ticket / threads);
  }

  /** Adds the piece to its sibling while that is there; the second of two siblings goes on. */
  #reduce(from: TreeNode, piece: Place, batch: Batch): void {
    const [first, last] = [this.#control.get('first'), this.#control.get('last')];
    const outputs = coveringNodes(first, last, batch.microBatches);
    let node = from;
    let sum = piece;
    while (!outputs.some(({ level, index }) => level === node.level && index === node.index)) {
      const { parent, side, alone } = parentOf(node, batch.microBatches);
      if (!alone) {
        const word = nodeWord(parent, this.#start.microBatches);
        const waiting = Atomics.exchange(this.#nodes, word, sum);
        if (waiting === 0) return;
        Atomics.store(this.#nodes, word, 0);
        const [left, right] = side === 'left' ? [sum, waiting] : [waiting, sum];
        const since = performance.now();
        this.#engine.add(left, right);
        this.#clock.add('reduce', since);
        this.#slots.give(right);
        sum = left;
      }
      node = parent;
    }
    Atomics.store(this.#nodes, nodeWord(node, this.#start.microBatches), sum);
    if (this.#control.add('unfinished', -1) !== 1) return;
    if (this.#control.get('kind') === jobKinds.lease) this.#endStep(node, sum);
    else this.#control.raise('finished');
  }

  /** Takes the optimizer's step and opens the lease's next one. All other threads wait. */
  #endStep(root: TreeNode, piece: Place): void {
    const { weights, state, hyper, check, losses } = this.#plan;
    const { memory, parameterCount } = this.#start;
    const step = this.#control.get('step');
    const row = step - this.#control.get('leaseFirst');
    const since = performance.now();
    this.#engine.update(weights, piece, state, hyper + row * HYPER_ROW, check);
    this.#clock.add('update', since);
    // The piece may lie beyond what the memory was when this thread began.
    const sums = new Float32Array(memory.buffer, piece + parameterCount * 4, 2);
    const loss = sums[LOSS] ?? NaN;
    this.#floats[losses / 4 + row * 2] = loss;
    this.#floats[losses / 4 + row * 2 + 1] = sums[CORRECT] ?? NaN;
    Atomics.store(this.#nodes, nodeWord(root, this.#start.microBatches), 0);
    this.#slots.give(piece);
    const next = step + 1;
    this.#control.set('step', next);
    const finite = Number.isFinite(loss) && updateWasFinite(memory.buffer, this.#plan);
    if (next === this.#control.get('leaseEnd') || !finite) {
      this.#control.raise('finished');
      return;
    }
    this.#control.set('unfinished', 1);
    const { microBatches } = this.#batchOf(next);
    this.#control.set('last', microBatches);
    this.#control.open(ticketsOf(0, microBatches, this.#pairs));
  }

  #gather(set: SampleSet, lanes: number, count: number, placeOf: (lane: number) => number): void {
    for (let lane = 0; lane < lanes; lane++) {
      // Lanes beyond the count are masked, so any sample will do for them.
      const place = placeOf(lane < count ? lane : 0);
      this.#indices[lane] = this.#words[set.list / 4 + place] ?? 0;
    }
  }

  #samples(set: SampleSet, count: number, work: Place): SamplePlaces {
    const { weights, table } = this.#plan;
    return [weights, set.images, set.labels, table, this.#indicesPlace, count, work];
  }

  #batchOf(step: number): Batch {
    return batchOf({ samples: this.#plan.training.count, batch: this.#start.batch }, step);
  }

  #orderOf(epoch: number): (place: number) => number {
    if (this.#order?.epoch !== epoch) {
      const sampleAt = epochOrder(this.#plan.training.count, this.#start.seed, epoch);
      this.#order = { epoch, sampleAt };
    }
    return this.#order.sampleAt;
  }
}
