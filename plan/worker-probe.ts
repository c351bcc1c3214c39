import { performance } from 'node:perf_hooks';
import type { MemberId } from '../coordinator/core-messages.js';
import { blockOf, type MicroBatchRange } from '../coordinator/ranges.js';
import type { PreparedRun } from '../coordinator/prepare.js';
import type { WorkerHost } from '../coordinator/remote-worker.js';
import type { RemoteMember } from '../coordinator/training.js';
import { batchOf } from '../src/data/batches.js';
import { DtrainError } from '../src/errors.js';
import { encodeFrame } from '../src/protocol/frame.js';
import { pieceBytes } from '../src/protocol/protocol.js';
import { coveringNodes } from '../src/reduce/tree.js';
import type { Round, Rounds } from './fit.js';

/** What was asked of one worker. */
interface Question {
  readonly member: MemberId;
  readonly range: MicroBatchRange;
}

/** One question to several workers, and when all had answered. Seconds. */
export interface Joint {
  /** Of each of them. */
  readonly microBatches: number;
  /** The time that each of them says it computed. */
  readonly own: readonly number[];
  readonly elapsed: number;
}

interface Waiting {
  readonly question: Question;
  readonly resolve: (seconds: number) => void;
  readonly reject: (error: Error) => void;
}

/** Rounds before those that count, and the fewest that do. */
const WARM_UP = 3;
const LEAST_ROUNDS = 5;

/** Asks workers for ranges, one alone or all at once, to see how fast they and their links are. */
export class WorkerProbe implements WorkerHost {
  readonly traffic = { sent: 0, received: 0 };
  readonly #prepared: PreparedRun;
  readonly #members = new Map<MemberId, RemoteMember>();
  readonly #waiting = new Map<MemberId, Waiting>();
  readonly #onChange: () => void;
  #last = 0;

  /** @param onChange somebody has joined or left */
  constructor(prepared: PreparedRun, onChange: () => void) {
    this.#prepared = prepared;
    this.#onChange = onChange;
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
    this.#waiting.get(id)?.reject(leftEarly(`The worker ${name}`));
    this.#onChange();
  }

  /** One that is silent and does not come back is cut off, and leaves. */
  silent(): void {
    return;
  }

  heard(): void {
    return;
  }

  answer(...[member, , range, pieces, { seconds }]: Parameters<WorkerHost['answer']>): void {
    for (const { place } of pieces) this.#prepared.pool.pieces.give(place);
    const waiting = this.#waiting.get(member);
    if (waiting?.question.range.first !== range.first) return;
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
      const [own = 0] = await this.#ask([{ member, range }]);
      const elapsed = (performance.now() - since) / 1000;
      const busy = performance.eventLoopUtilization(before).active / 1000;
      return { microBatches: range.last - range.first, bytes, elapsed, own, busy };
    });
  }

  /** Asks several workers at once for equal parts of a batch, again and again. */
  async together(
    members: readonly MemberId[],
    seconds: number,
    signal: AbortSignal,
  ): Promise<Joint[]> {
    const { microBatches } = batchOf(this.#prepared.plan, 0);
    const size = Math.max(1, Math.floor(microBatches / members.length));
    const questions = members.map((member, index) => {
      const first = Math.min(index * size, microBatches - size);
      return { member, range: { first, last: first + size } };
    });
    return repeated(seconds, signal, async () => {
      const since = performance.now();
      const own = await this.#ask(questions);
      return { microBatches: size, own, elapsed: (performance.now() - since) / 1000 };
    });
  }

  /** The seconds that each says it computed. */
  async #ask(questions: readonly Question[]): Promise<number[]> {
    const { buffer, byteOffset, byteLength } = this.#prepared.pool.weights;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const weights = encodeFrame({ type: 'weights', step: 0 }, bytes);
    for (const { member } of questions) this.#members.get(member)?.send(weights);
    const answers = questions.map(
      (question) =>
        new Promise<number>((resolve, reject) => {
          if (!this.#members.has(question.member)) reject(leftEarly('A worker'));
          this.#waiting.set(question.member, { question, resolve, reject });
          const work = encodeFrame({ type: 'work', step: 0, ...question.range });
          this.#members.get(question.member)?.send(work);
        }),
    );
    return Promise.all(answers);
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
