import { rootLevel, type TreeNode } from '../reduce/tree.js';

/**
 * The words of shared memory through which the threads of a process and its main thread meet.
 * The main thread describes a job, opens its tickets and wakes the threads; each ticket is a node of
 * the tree, of as many micro-batches as the engine takes at once; whoever finishes the last piece
 * closes the job and wakes the main thread.
 */
const words = [
  /** Raised with each job or step, and waited on by the threads. */
  'generation',
  /** Tickets that nobody has taken yet. Only a taken ticket lets a thread read the job. */
  'tickets',
  /** Raised when a job is over, and waited on by the main thread. */
  'finished',
  /** Raised by each thread that has its engine. */
  'started',
  'stop',
  /** The job, a `jobKinds` number. */
  'kind',
  /** Tickets of the job in all; ticket number = count - tickets left. */
  'count',
  /** Pieces, or tickets of an evaluation, that are not done yet. */
  'unfinished',
  /** The step being computed. */
  'step',
  /** 1 while a lease's tickets are for slices of the optimizer's step, with the sum in `root`. */
  'updating',
  'root',
  /** A lease's first step, and the one after its last. */
  'leaseFirst',
  'leaseEnd',
  /** The range's first micro-batch, and the one after its last. */
  'first',
  'last',
  /** An evaluation's sample set: 0 test, 1 validation. */
  'set',
] as const;

export type Word = (typeof words)[number];
export const CONTROL_WORDS = words.length;
const places = Object.fromEntries(words.map((word, place) => [word, place])) as Record<
  Word,
  number
>;

export const jobKinds = {
  /** The pieces of a range of one step. */
  range: 0,
  /** Whole steps, one after the other, the optimizer's update included. */
  lease: 1,
  evaluate: 2,
} as const;

/** Words for the nodes of a tree of so many leaves. */
export function nodeWords(leaves: number): number {
  return 2 ** (rootLevel(leaves) + 1);
}

/** A node's word among `nodeWords`; one numbering serves batches of every size up to the full. */
export function nodeWord({ level, index }: TreeNode, leaves: number): number {
  return 2 ** (rootLevel(leaves) - level) + index;
}

/** Typed access to the control words. */
export class Control {
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer, place: number) {
    this.#words = new Int32Array(buffer, place, CONTROL_WORDS);
  }

  get(word: Word): number {
    return Atomics.load(this.#words, places[word]);
  }

  set(word: Word, value: number): void {
    Atomics.store(this.#words, places[word], value);
  }

  add(word: Word, value: number): number {
    return Atomics.add(this.#words, places[word], value);
  }

  /** The next ticket's number, or undefined when all are taken. */
  takeTicket(): number | undefined {
    const place = places.tickets;
    for (;;) {
      const left = Atomics.load(this.#words, place);
      if (left === 0) return undefined;
      if (Atomics.compareExchange(this.#words, place, left, left - 1) === left) {
        return this.get('count') - left;
      }
    }
  }

  /** Opens the tickets of the job that has been described, and wakes the threads. */
  open(tickets: number): void {
    this.set('count', tickets);
    this.set('tickets', tickets);
    this.raise('generation');
  }

  raise(word: 'generation' | 'finished' | 'started'): void {
    this.add(word, 1);
    Atomics.notify(this.#words, places[word]);
  }

  /** Blocks until the word differs from `seen`: looks `spins` times first, then sleeps. */
  wait(word: 'generation', seen: number, spins: number): void {
    for (let spin = 0; spin < spins; spin++) if (this.get(word) !== seen) return;
    Atomics.wait(this.#words, places[word], seen);
  }

  /** Resolves when the word differs from `seen`; for the main thread, which must not block. */
  async changed(word: 'finished' | 'started', seen: number): Promise<void> {
    while (this.get(word) === seen) {
      const waiting = Atomics.waitAsync(this.#words, places[word], seen);
      if (waiting.async) await waiting.value;
    }
  }
}
