import { expect } from 'vitest';
import { test as base } from '../e2e/support/place.js';
import type { Dice } from '../sim/dice.js';
import type { Knowledge } from './hostile-pieces.js';
import type { HostileWorker } from './hostile-worker.js';
import { answerWrongly, intrude, intrudeWithBytes, type Intrusion, type Role } from './intruder.js';
import { MemoryTrace } from './memory.js';
import { diceOf, frames, pick, replay } from './seed.js';
import { BATCH, MICRO_BATCHES, Siege } from './siege.js';

const TOTAL_STEPS = 200;
const LANES = 6;
/** A step's memory comes and goes with the collector; a frame that is kept is 0.25 MB. */
const GROWTH_MB = 48;

const ROLES: readonly Role[] = [
  ...(['stranger', 'stranger', 'introduced', 'introduced', 'member', 'member', 'member'] as const),
  ...(['liar', 'forger', 'ghost', 'bytes'] as const),
];

/** Connections on some lanes at once, until enough frames are sent. */
class Attack {
  readonly intrusions: Intrusion[] = [];
  readonly memory: MemoryTrace;
  readonly #siege: Siege;
  #answerer: HostileWorker | undefined;
  #sent = 0;
  #connections = 0;

  constructor(siege: Siege) {
    this.#siege = siege;
    this.memory = new MemoryTrace(siege.coordinator.pid);
  }

  async run(): Promise<void> {
    const answering = this.#answer();
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()));
    this.#answerer?.close();
    await answering;
  }

  count(holds: (intrusion: Intrusion) => boolean | undefined): number {
    return this.intrusions.filter(holds).length;
  }

  get #known(): Omit<Knowledge, 'work'> {
    const { answers } = this.#siege.turnstile;
    return { totalSteps: TOTAL_STEPS, microBatches: MICRO_BATCHES, answers };
  }

  async #lane(): Promise<void> {
    while (this.#sent < frames) {
      const connection = this.#connections++;
      const dice = diceOf(connection);
      const role = pick(dice, ROLES);
      try {
        this.#add(await this.#intrude(dice, role));
      } catch (cause) {
        throw new Error(replay(`connection ${connection}, a ${role}`), { cause });
      }
    }
  }

  async #intrude(dice: Dice, role: Role): Promise<Intrusion> {
    if (role === 'bytes') {
      await intrudeWithBytes(dice, await this.#siege.socket());
      return { frames: 1, worked: false, cutOff: undefined };
    }
    const { turnstile } = this.#siege;
    const work = { step: turnstile.step, first: 0, last: MICRO_BATCHES };
    return intrude(dice, role, await this.#siege.worker(), { ...this.#known, work });
  }

  /** One that is asked again and again, since it answers. */
  async #answer(): Promise<void> {
    const dice = diceOf(-1);
    while (this.#sent < frames) {
      this.#answerer = await this.#siege.worker();
      this.#add(await answerWrongly(dice, this.#answerer, this.#known));
    }
  }

  #add(intrusion: Intrusion): void {
    this.intrusions.push(intrusion);
    this.#sent += intrusion.frames;
    const done = this.#sent / frames;
    this.memory.sample(done);
    this.#siege.turnstile.allow(Math.floor(done * TOTAL_STEPS));
  }
}

base(
  'a coordinator under 10,000 hostile frames trains what it would train in peace',
  async ({ place }) => {
    const flags = ['--steps', String(TOTAL_STEPS), '--batch', String(BATCH)];
    const siege = await Siege.lay(place, flags);
    try {
      await siege.begin();
      const attack = new Attack(siege);
      await attack.run();
      const { intrusions, memory } = attack;
      expect(intrusions.reduce((sum, { frames }) => sum + frames, 0)).toBeGreaterThanOrEqual(
        frames,
      );
      const refused = attack.count(
        ({ cutOff }) => cutOff?.code === 1008 && cutOff.reason !== undefined,
      );
      expect(refused, replay('were told why they were cut off')).toBeGreaterThan(frames / 20);
      expect(
        attack.count(({ worked }) => worked),
        replay('were given work'),
      ).toBeGreaterThan(frames / 100);
      const expelled = attack.count(({ cutOff }) => cutOff?.reason?.includes('not finite'));
      expect(expelled, replay('were expelled')).toBeGreaterThan(0);
      expect(memory.growth, replay(`megabytes: ${String(memory)}`)).toBeLessThan(GROWTH_MB);
      const { result } = await siege.expectUnharmed();
      expect(result).toMatchObject({ steps: TOTAL_STEPS });
    } catch (cause) {
      throw new Error(replay('The attack did harm'), { cause });
    } finally {
      siege.close();
    }
  },
);
