import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf } from '../../src/data/batches.js';
import type { Values } from '../reduce/fake-sums.js';
import type { Injuries } from './injuries.js';
import { type Answer, answerOf, falsified, type RemoteProcess, secondsFor } from './members.js';
import type { Connections, World } from './world.js';

interface Asked {
  readonly step: number;
  readonly range: MicroBatchRange;
}

interface Work extends Asked {
  readonly weights: Values;
  /** When it began. */
  readonly since: number;
  readonly pausedUntil: number;
}

/** Seconds until an operator ends a worker that does nothing any more. */
const OPERATOR = { least: 65, most: 200 };
/** Seconds that a range takes at most, however slow its member is. */
const SLOWEST = 300;

/** How remote workers do what they are asked for, and how they answer. */
export class RemoteWork {
  readonly #world: World;
  readonly #connections: Connections;
  readonly #injuries: Injuries;
  /** Answers under way, numbered as they were sent. */
  readonly #underWay = new Set<number>();
  #sent = 0;

  constructor(world: World, connections: Connections, injuries: Injuries) {
    this.#world = world;
    this.#connections = connections;
    this.#injuries = injuries;
  }

  begin(process: RemoteProcess, asked: Asked): void {
    const { clock } = this.#world;
    const { step } = asked;
    const { weights, pausedUntil } = process;
    if (weights?.step !== step) {
      throw new Error(`member ${process.id} has weights of ${weights?.step} for step ${step}`);
    }
    process.busy = true;
    const work = { ...asked, weights: weights.values, since: clock.now, pausedUntil };
    const seconds = this.#secondsOf(process, asked.range);
    if (seconds === undefined) return;
    this.#disturb(process, seconds);
    clock.after(seconds, () => {
      process.whenRunning(() => {
        this.#finish(process, work);
      });
    });
  }

  /** Undefined: for ever. */
  #secondsOf(process: RemoteProcess, { first, last }: MicroBatchRange): number | undefined {
    const { clock, dice, faults, progress } = this.#world;
    const seconds = secondsFor(dice, last - first, process.machine.rate);
    if (faults.due('stuck, and never answered')) {
      const pause = dice.between(OPERATOR.least, OPERATOR.most);
      progress.troubled(clock.now + pause);
      clock.after(pause, () => {
        if (process.alive) this.#injuries.kill(process, 'stuck, and never answered');
      });
      return undefined;
    }
    if (faults.due('stuck, and answered later')) {
      faults.happened('stuck, and answered later');
      return this.#long(seconds + dice.scale(6, 120));
    }
    if (faults.due('straggler')) {
      faults.happened('straggler');
      process.confused = dice.chance(0.3);
      return this.#long(Math.min(SLOWEST, seconds * dice.between(5, 50)));
    }
    return seconds;
  }

  #long(seconds: number): number {
    this.#world.progress.troubled(this.#world.clock.now + seconds + 1);
    return seconds;
  }

  /** What may happen to a process while it computes. */
  #disturb(process: RemoteProcess, seconds: number): void {
    const { faults } = this.#world;
    const injuries = this.#injuries;
    if (faults.due('killed while it computed')) {
      injuries.soon(process, seconds, () => {
        injuries.kill(process, 'killed while it computed');
      });
    }
    injuries.strike(process, seconds);
  }

  #finish(process: RemoteProcess, work: Work): void {
    const { clock, dice, faults, scenario } = this.#world;
    process.busy = false;
    if (faults.due('killed before its answer got through')) {
      this.#injuries.kill(process, 'killed before its answer got through');
      return;
    }
    const honest = answerOf(scenario, work.step, work.range, work.weights);
    const lies =
      honest.finite && (process.confused || faults.due('answer that is falsely not finite'));
    process.confused = false;
    const answer = lies ? falsified(honest) : honest;
    if (faults.due('answer to another question')) this.#sendStray(process, work);
    const seconds = dice.chance(0.02) ? dice.pick(0, 1e9) : clock.now - work.since;
    const number = this.#sent++;
    this.#underWay.add(number);
    process.carry('back', () => {
      this.#underWay.delete(number);
      if (!this.#connections.has(process)) return;
      if (lies) faults.happened('answer that is falsely not finite');
      if (process.pausedUntil > work.pausedUntil && work.step !== this.#world.coordinator().step) {
        faults.happened('stale answer after a pause');
      }
      const overtaken = [...this.#underWay].some((other) => other < number);
      if (overtaken) faults.happened('answer overtaken by a later one');
      this.#deliver(process, answer, seconds);
    });
    if (faults.due('answer repeated')) {
      const latest = dice.chance(0.3) ? 3 : process.machine.delay * 10;
      clock.after(dice.between(0, latest), () => {
        this.#repeat(process, answer);
      });
    }
  }

  /** An answer is a sign of life too: usually that is noticed first. */
  #deliver(process: RemoteProcess, answer: Answer, seconds: number): void {
    const { dice, tell } = this.#world;
    if (dice.chance(0.8)) this.#connections.hear(process);
    const { step, range, finite } = answer;
    const member = process.id;
    tell({ type: 'computed', member, step, range, pieces: answer, finite, seconds });
    this.#connections.hear(process);
  }

  /** An answer comes once more, by whatever way: perhaps before the first one, perhaps too late. */
  #repeat(process: RemoteProcess, answer: Answer): void {
    const { coordinator, dice, faults } = this.#world;
    faults.happened('answer repeated');
    if (!this.#connections.has(process)) faults.happened('answer after its sender had left');
    else if (answer.step === coordinator().step) faults.happened('answer repeated in its step');
    else faults.happened('answer repeated in a later step');
    this.#deliver(process, { ...answer }, dice.next());
  }

  /** Some range that nobody asked this member for, of its step, the one before or the one after. */
  #sendStray(process: RemoteProcess, { step, weights }: Work): void {
    const { coordinator, dice, faults, scenario } = this.#world;
    const of = Math.max(0, step + dice.whole(-1, 1));
    const { microBatches } = batchOf(scenario.plan, of);
    const first = dice.whole(0, microBatches - 1);
    const range = { first, last: dice.whole(first + 1, microBatches) };
    const answer = answerOf(scenario, of, range, weights);
    const stray = dice.chance(0.2) ? falsified(answer) : answer;
    process.carry('back', () => {
      // By now it may be asked for just that, and nobody can see that the weights were older ones.
      if (of > step && coordinator().step === of) return;
      faults.happened('answer to another question');
      this.#deliver(process, stray, dice.next());
    });
  }
}
