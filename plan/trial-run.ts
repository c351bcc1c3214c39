import type { MeasuredSettings } from '../bench/run-config.js';
import type { MemberId } from '../coordinator/core-messages.js';
import type { PreparedRun } from '../coordinator/prepare.js';
import type { WorkerHost } from '../coordinator/remote-worker.js';
import { NOTHING_DONE } from '../coordinator/tally.js';
import type { RemoteMember } from '../coordinator/remote-members.js';
import { Training } from '../coordinator/training.js';
import type { Pricing } from '../src/cost/pricing.js';
import { batchOf } from '../src/data/batches.js';
import { stepHyperparameters } from '../src/optim/optimizer.js';

/** What a worker has computed in a trial run. */
export interface Done {
  /** Whose place among the workers that were measured this is. */
  readonly worker: number;
  shares: number;
  microBatches: number;
  /** The seconds that it says it computed. */
  own: number;
}

/** What a trial run took. */
export interface Trial {
  /** Of a step, on average. */
  readonly seconds: number;
  readonly done: readonly Done[];
}

/** A step's rate with which weights hardly move: they are of no use afterwards. */
const TINY_RATE = 1e-6;

const nothing = (): void => undefined;

/** Steps that some workers take as in any run: shared out, averaged and updated by the same code. */
export class TrialRun {
  readonly #training: Training;
  readonly #members: ReadonlyMap<MemberId, RemoteMember>;
  readonly #inside = new Map<MemberId, { readonly id: MemberId; readonly done: Done }>();
  #leave: (why: Error) => void = nothing;

  constructor(
    { pool, plan }: PreparedRun,
    settings: MeasuredSettings,
    pricing: Pricing,
    members: ReadonlyMap<MemberId, RemoteMember>,
  ) {
    this.#members = members;
    this.#training = new Training({
      pool,
      plan,
      totalSteps: Number.MAX_SAFE_INTEGER,
      firstStep: 0,
      startWith: members.size,
      saveEvery: { steps: Number.MAX_SAFE_INTEGER },
      localThreads: false,
      pricing,
      paid: undefined,
      validation: false,
      before: NOTHING_DONE,
      hyper: (step) => stepHyperparameters(settings, TINY_RATE, batchOf(plan, step).samples, step),
      onEpoch: nothing,
      onSteps: nothing,
      onSave: nothing,
      onLimit: nothing,
      onWait: nothing,
    });
  }

  get traffic(): WorkerHost['traffic'] {
    return this.#training.traffic;
  }

  /** Runs for about so many seconds. @throws what a run can fail with, and what `left` was told */
  async run(seconds: number): Promise<Trial> {
    const left = new Promise<never>((_, reject) => {
      this.#leave = reject;
    });
    const running = this.#training.run();
    for (const [id, member] of this.#members) {
      const done = { worker: this.#inside.size, shares: 0, microBatches: 0, own: 0 };
      this.#inside.set(id, { id: this.#training.join(quiet(member)), done });
    }
    const timer = setTimeout(() => {
      this.#training.stop();
    }, seconds * 1000);
    try {
      const { trainSeconds, steps } = await Promise.race([running, left]);
      return {
        seconds: trainSeconds / steps,
        done: [...this.#inside.values()].map(({ done }) => done),
      };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes a worker's answer. @returns false if this is none of its workers */
  answer(...[member, step, range, pieces, about]: Parameters<WorkerHost['answer']>): boolean {
    const inside = this.#inside.get(member);
    if (!inside) return false;
    inside.done.shares += 1;
    inside.done.microBatches += range.last - range.first;
    inside.done.own += about.seconds;
    this.#training.answer(inside.id, step, range, pieces, about);
    return true;
  }

  /** A worker is gone, and what is measured is not what was to be measured. */
  left(why: Error): void {
    this.#leave(why);
  }
}

/** The member, of which nothing is told to anybody: it is about to be measured again. */
function quiet(member: RemoteMember): RemoteMember {
  const { name, threads, price, traffic, address } = member;
  return {
    ...{ name, threads, price, traffic, address },
    send: (frame) => {
      member.send(frame);
    },
    lost: nothing,
    back: nothing,
    standing: nothing,
    release: nothing,
    answered: nothing,
    expel: nothing,
  };
}
