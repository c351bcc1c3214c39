import { performance } from 'node:perf_hooks';
import type { MeasuredSettings } from '../bench/run-config.js';
import type { MemberId } from '../coordinator/core-messages.js';
import { blockOf, type MicroBatchRange } from '../coordinator/ranges.js';
import type { PreparedRun } from '../coordinator/prepare.js';
import type { WorkerHost } from '../coordinator/remote-worker.js';
import type { RemoteMember } from '../coordinator/remote-members.js';
import type { Pricing } from '../src/cost/pricing.js';
import { batchOf } from '../src/data/batches.js';
import { DtrainError } from '../src/errors.js';
import { encodeFrame } from '../src/protocol/frame.js';
import { pieceBytes } from '../src/protocol/protocol.js';
import { coveringNodes } from '../src/reduce/tree.js';
import type { Round, Rounds } from './fit.js';
import { type Trial, TrialRun } from './trial-run.js';

/** What was asked of a worker. */
interface Waiting {
  readonly range: MicroBatchRange;
  readonly resolve: (seconds: number) => void;
  readonly reject: (error: Error) => void;
}

/** Rounds before those that count, and the fewest that do. */
const WARM_UP = 3;
const LEAST_ROUNDS = 5;

/** Asks workers for ranges, one alone, and for steps together, to see how fast they and their links are. */
export class WorkerProbe implements WorkerHost {
  readonly #traffic = { sent: 0, received: 0 };
  readonly #prepared: PreparedRun;
  readonly #settings: MeasuredSettings;
  readonly #pricing: Pricing;
  readonly #members = new Map<MemberId, RemoteMember>();
  readonly #waiting = new Map<MemberId, Waiting>();
  readonly #onChange: () => void;
  #trial: TrialRun | undefined;
  #last = 0;
  /** Questions so far. */
  #asked = 0;

  /** @param onChange somebody has joined or left */
  constructor(
    prepared: PreparedRun,
    settings: MeasuredSettings,
    pricing: Pricing,
    onChange: () => void,
  ) {
    this.#prepared = prepared;
    this.#settings = settings;
    this.#pricing = pricing;
    this.#onChange = onChange;
  }

  get traffic(): WorkerHost['traffic'] {
    return this.#trial?.traffic ?? this.#traffic;
  }

  get workers(): number {
    return this.#members.size;
  }

  /** Whoever only measures has room for them all. */
  refusal(): undefined {
    return undefined;
  }

  get members(): [MemberId, RemoteMember][] {
    return [...this.#members];
  }

  join(member: RemoteMember): MemberId {
    const id = ++this.#last;
    this.#members.set(id, member);
    this.#onChange();
    return id;
  }

  leave(id: MemberId): void {
    const name = this.#members.get(id)?.name ?? '';
    this.#members.delete(id);
    const why = leftEarly(`The worker ${name}`);
    this.#waiting.get(id)?.reject(why);
    this.#trial?.left(why);
    this.#onChange();
  }

  /** One that is silent and does not come back is cut off, and leaves. */
  silent(): void {
    return;
  }

  heard(): void {
    return;
  }

  answer(...told: Parameters<WorkerHost['answer']>): void {
    if (this.#trial?.answer(...told) === true) return;
    const [member, , range, pieces, { seconds }] = told;
    for (const { place } of pieces) this.#prepared.pool.pieces.give(place);
    const waiting = this.#waiting.get(member);
    if (waiting?.range.first !== range.first) return;
    this.#waiting.delete(member);
    waiting.resolve(seconds);
  }

  /** Measures one worker while the others rest, for about so many seconds. */
  async alone(member: MemberId, seconds: number, signal: AbortSignal): Promise<Rounds> {
    const { microBatches } = batchOf(this.#prepared.plan, 0);
    const block = Math.min(microBatches, blockOf(microBatches, 1));
    const measure = (first: number, last: number): Promise<Round[]> =>
      this.#rounds(member, { first, last }, seconds / 3, signal);
    return {
      small: await measure(0, block),
      whole: await measure(0, microBatches),
      // Without its ends the batch is made of many subtrees.
      pieces: microBatches >= 4 ? await measure(1, microBatches - 1) : [],
    };
  }

  async #rounds(
    member: MemberId,
    range: MicroBatchRange,
    seconds: number,
    signal: AbortSignal,
  ): Promise<Round[]> {
    const { plan, model } = this.#prepared;
    const { microBatches } = batchOf(plan, 0);
    const nodes = coveringNodes(range.first, range.last, microBatches).length;
    const bytes = 4 * model.parameterCount + nodes * pieceBytes(model.parameterCount);
    return repeated(seconds, signal, async () => {
      const before = performance.eventLoopUtilization();
      const since = performance.now();
      const own = await this.#ask(member, range);
      const elapsed = (performance.now() - since) / 1000;
      const busy = performance.eventLoopUtilization(before).active / 1000;
      return { microBatches: range.last - range.first, bytes, elapsed, own, busy };
    });
  }

  /** Has the first workers take steps of a run together, for about so many seconds. */
  async together(workers: number, seconds: number, signal: AbortSignal): Promise<Trial> {
    signal.throwIfAborted();
    const members = new Map(this.members.slice(0, workers));
    this.#trial = new TrialRun(this.#prepared, this.#settings, this.#pricing, members);
    try {
      return await this.#trial.run(seconds);
    } finally {
      this.#trial = undefined;
    }
  }

  /**
   * Asks for a range of the next full batch, whose samples nobody has at hand.
   * @returns the seconds that the worker says it computed
   */
  #ask(member: MemberId, range: MicroBatchRange): Promise<number> {
    const { pool, plan } = this.#prepared;
    const { buffer, byteOffset, byteLength } = pool.weights;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const step = this.#asked++ % Math.max(1, Math.floor(plan.samples / plan.batch));
    const to = this.#members.get(member);
    return new Promise<number>((resolve, reject) => {
      if (!to) reject(leftEarly('A worker'));
      this.#waiting.set(member, { range, resolve, reject });
      to?.send(encodeFrame({ type: 'weights', step }, bytes));
      to?.send(encodeFrame({ type: 'work', step, ...range }));
    });
  }
}

function leftEarly(who: string): DtrainError {
  return new DtrainError('WORKER_FAILED', `${who} left while it was measured.`);
}

/** Does something again and again for about so many seconds; the first times do not count. */
async function repeated<T>(
  seconds: number,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T[]> {
  for (let round = 0; round < WARM_UP; round++) await action();
  const results: T[] = [];
  const until = performance.now() + seconds * 1000;
  while (results.length < LEAST_ROUNDS || performance.now() < until) {
    signal.throwIfAborted();
    results.push(await action());
  }
  return results;
}
