import type { ImageAugmentation } from '../augment/augmentation.js';
import { Augmenter } from '../augment/augmenter.js';
import { type Batch, batchOf } from '../data/batches.js';
import type { SplitSize } from '../data/dataset.js';
import { epochOrder } from '../data/order.js';
import { LANES } from '../engine/ir/types.js';
import { type CallSizes, EVALUATION_ROW, type Place } from '../engine/engine.js';
import { CORRECT, LOSS } from '../engine/program.js';
import { coveringNodes, leavesOf, parentOf, type TreeNode } from '../reduce/tree.js';
import { Control, jobKinds, nodeWord, nodeWords } from './control.js';
import {
  HYPER_ROW,
  type MemoryPlan,
  type OwnMemory,
  piecesInFlight,
  updateWasFinite,
} from './memory.js';
import { Gatherer } from './gatherer.js';
import { callSizes, type EngineParts, startEngine, type StartedEngine } from './engine-in.js';
import { PhaseClock } from './phases.js';
import { PieceSlots } from './piece-slots.js';
import { ticketNodes } from './tickets.js';

/** What a thread is given when it starts. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly engine: EngineParts;
  readonly memory: WebAssembly.Memory;
  readonly plan: MemoryPlan;
  readonly index: number;
  /** Looks at the control word before a thread sleeps. */
  readonly spins: number;
  readonly seed: number;
  readonly augmentation: ImageAugmentation | undefined;
  readonly training: SplitSize;
  readonly test: SplitSize;
  readonly batch: number;
  readonly parameterCount: number;
  readonly microBatches: number;
}

/** The task of one thread, from the start of the run to its end. */
export default async function runThread(start: ThreadStart): Promise<void> {
  const { memory, module, engine, plan, index } = start;
  const own = plan.perThread[index];
  if (!own) throw new Error(`There is no memory for thread ${index}.`);
  const places = { ...plan, ...own };
  new ComputeThread(start, own, await startEngine(memory, module, engine, places)).run();
}

class ComputeThread {
  readonly #start: ThreadStart;
  readonly #plan: MemoryPlan;
  readonly #engine: StartedEngine;
  readonly #control: Control;
  readonly #slots: PieceSlots;
  readonly #nodes: Int32Array;
  /** As DRAW_WORDS has them. */
  readonly #draws: Uint32Array;
  readonly #floats: Float32Array;
  readonly #training: Gatherer;
  readonly #validation: Gatherer;
  readonly #test: Gatherer;
  readonly #atOnce: CallSizes;
  readonly #clock: PhaseClock;
  /** Each thread takes its slots from another one on, which it then finds in its cache. */
  readonly #firstSlot: number;
  /** What this thread has computed of a range, if it can read ahead: samples of the step's batch. */
  readonly #computed: { readonly step: number; readonly first: number; readonly count: number }[] =
    [];
  #order: { epoch: number; sampleAt: (place: number) => number } | undefined;
  #tickets: { key: string; nodes: readonly TreeNode[] } | undefined;

  constructor(start: ThreadStart, own: OwnMemory, engine: StartedEngine) {
    const { memory, plan, index, microBatches, augmentation, seed } = start;
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    this.#start = start;
    this.#plan = plan;
    this.#engine = engine;
    this.#atOnce = callSizes(start.engine);
    const augmenter = augmentation && new Augmenter(augmentation, seed);
    this.#training = new Gatherer(buffer, plan.training, start.training, own, augmenter);
    this.#validation = new Gatherer(buffer, plan.validation, start.training, own);
    this.#test = new Gatherer(buffer, plan.test, start.test, own);
    this.#control = new Control(buffer, plan.control);
    this.#slots = new PieceSlots(memory, plan.slots);
    this.#nodes = new Int32Array(buffer, plan.nodes, nodeWords(microBatches));
    this.#draws = new Uint32Array(buffer, own.draws, 3);
    this.#floats = new Float32Array(buffer);
    this.#clock = new PhaseClock(buffer, own.clock);
    const threads = plan.perThread.length;
    this.#firstSlot = Math.floor((index * piecesInFlight(threads, microBatches)) / threads);
  }

  run(): void {
    const control = this.#control;
    control.raise('started');
    for (;;) {
      const seen = control.get('generation');
      if (control.get('stop') === 1) return;
      for (let ticket = control.takeTicket(); ticket !== undefined; ticket = control.takeTicket()) {
        if (control.get('kind') === jobKinds.evaluate) this.#evaluate(ticket);
        else if (control.get('updating') === 1) this.#update(ticket);
        else this.#gradients(ticket);
      }
      this.#readAhead();
      control.wait('generation', seen, this.#start.spins);
    }
  }

  #evaluate(ticket: number): void {
    const all = this.#control.get('set') === 0 ? this.#test : this.#validation;
    const { evaluate } = this.#atOnce;
    const first = ticket * evaluate * LANES;
    const count = Math.min(evaluate * LANES, all.count - first);
    const samples = all.gather(count, (lane) => first + lane);
    const out = this.#plan.evaluation + ticket * evaluate * EVALUATION_ROW * 4;
    this.#engine.samples.evaluate(samples, out);
    if (this.#control.add('unfinished', -1) === 1) this.#control.raise('finished');
  }

  #gradients(ticket: number): void {
    const since = performance.now();
    const step = this.#control.get('step');
    const batch = this.#batchOf(step);
    const { microBatches } = batch;
    const range = [this.#control.get('first'), this.#control.get('last')] as const;
    const node = this.#ticketNodes(...range, microBatches)[this.#inBlocks(ticket)];
    if (!node) throw new Error(`Ticket ${ticket} is for nothing.`);
    const [from, to] = leavesOf(node, microBatches);
    const first = from * LANES;
    const count = Math.min(to * LANES, batch.samples) - first;
    const order = this.#orderOf(batch.epoch);
    const placeOf = (lane: number): number => order(batch.first + first + lane);
    const samples = this.#training.gather(count, placeOf, batch.epoch);
    const gathered = this.#clock.add('gather', since);
    const piece = this.#slots.take(this.#firstSlot);
    this.#draws.set([this.#start.seed, step, first]);
    this.#engine.samples.gradients(samples, piece, this.#draws.byteOffset);
    this.#clock.add('compute', gathered);
    if (this.#training.inFiles && this.#control.get('kind') === jobKinds.range) {
      this.#computed.push({ step, first, count });
    }
    this.#reduce(node, piece, batch);
  }

  /**
   * While others are waited for: reads what this thread will want of the next step, if it gets the
   * same share of it.
   */
  #readAhead(): void {
    const places = this.#computed.splice(0).flatMap(({ step, first, count }) => {
      const next = this.#batchOf(step + 1);
      const order = this.#orderOf(next.epoch);
      const samples = Math.max(0, Math.min(count, next.samples - first));
      return Array.from({ length: samples }, (_, lane) => order(next.first + first + lane));
    });
    if (places.length > 0) this.#training.readAhead(places);
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
        this.#engine.updater.add(left, right);
        this.#clock.add('reduce', since);
        this.#slots.give(right);
        sum = left;
      }
      node = parent;
    }
    Atomics.store(this.#nodes, nodeWord(node, this.#start.microBatches), sum);
    if (this.#control.add('unfinished', -1) !== 1) return;
    if (this.#control.get('kind') === jobKinds.lease) {
      Atomics.store(this.#nodes, nodeWord(node, this.#start.microBatches), 0);
      this.#beginUpdate(sum);
    } else this.#control.raise('finished');
  }

  /** Opens the slices of the optimizer's step to all threads. */
  #beginUpdate(root: Place): void {
    const { slices } = this.#plan;
    this.#control.set('root', root);
    this.#control.set('unfinished', slices);
    this.#control.set('updating', 1);
    this.#control.open(slices);
  }

  #update(slice: number): void {
    const { weights, state, hyper, check } = this.#plan;
    const row = this.#control.get('step') - this.#control.get('leaseFirst');
    const root = this.#control.get('root');
    const since = performance.now();
    this.#engine.updater.update(weights, root, state, hyper + row * HYPER_ROW, check, slice);
    this.#clock.add('update', since);
    if (this.#control.add('unfinished', -1) === 1) this.#endStep(root);
  }

  /** Opens the lease's next step. */
  #endStep(piece: Place): void {
    const { losses } = this.#plan;
    const { memory, parameterCount } = this.#start;
    const step = this.#control.get('step');
    const row = step - this.#control.get('leaseFirst');
    // The piece may lie beyond what the memory was when this thread began.
    const sums = new Float32Array(memory.buffer, piece + parameterCount * 4, 2);
    const loss = sums[LOSS] ?? NaN;
    this.#floats[losses / 4 + row * 2] = loss;
    this.#floats[losses / 4 + row * 2 + 1] = sums[CORRECT] ?? NaN;
    this.#slots.give(piece);
    const next = step + 1;
    this.#control.set('step', next);
    this.#control.set('updating', 0);
    const finite = Number.isFinite(loss) && updateWasFinite(memory.buffer, this.#plan);
    if (next === this.#control.get('leaseEnd') || !finite) {
      this.#control.raise('finished');
      return;
    }
    this.#control.set('unfinished', 1);
    const { microBatches } = this.#batchOf(next);
    this.#control.set('last', microBatches);
    this.#control.open(this.#ticketNodes(0, microBatches, microBatches).length);
  }

  /** What the tickets of the job are for; the same for most of the steps. */
  #ticketNodes(first: number, last: number, leaves: number): readonly TreeNode[] {
    const key = `${first} ${last} ${leaves}`;
    if (this.#tickets?.key !== key) {
      const threads = this.#plan.perThread.length;
      const nodes = ticketNodes(first, last, leaves, threads, this.#atOnce.gradients);
      this.#tickets = { key, nodes };
    }
    return this.#tickets.nodes;
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
