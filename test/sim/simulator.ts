import { Core, type CoreOptions } from '../../coordinator/core.js';
import type { CoreCommand, CoreEvent, MemberId, Outcome } from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf } from '../../src/data/batches.js';
import { Reduction } from '../../src/reduce/reduction.js';
import { added, type Values } from '../reduce/fake-sums.js';
import { type Answer, Audit } from './audit.js';
import { Clock } from './clock.js';
import { Dice } from './dice.js';
import { firstWeights, updatedWeights } from './fake-model.js';
import type { Fault } from './faults.js';
import { type Doing, SimulatedFleet } from './fleet.js';
import { answerOf, secondsFor } from './members.js';
import { randomScenario, type Scenario } from './scenario.js';
import { Trace } from './trace.js';

export type CoreLike = Pick<Core<Answer>, 'handle' | 'step'>;
export type MakeCore = (options: CoreOptions) => CoreLike;

export interface SimulatedRun {
  readonly outcome: Outcome;
  readonly steps: number;
  readonly weights: Values;
  readonly evaluated: readonly number[];
  /** As the core counts them at the end. */
  readonly coreStep: number;
  readonly faults: ReadonlyMap<Fault, number>;
}

const LOCAL: MemberId = 0;
/** More events than any run of a scenario needs. */
const MOST_EVENTS = 50_000;

/**
 * Puts the coordinator's core through the run that follows from `seed`, and through all its
 * faults. Throws, with what happened, if the core does what it must not or the run does not end.
 */
export function simulate(
  seed: number,
  makeCore: MakeCore = (options) => new Core<Answer>(options),
): SimulatedRun {
  return new Simulation(randomScenario(seed), makeCore).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #dice: Dice;
  readonly #clock = new Clock();
  readonly #trace = new Trace(this.#clock);
  readonly #audit: Audit;
  readonly #core: CoreLike;
  readonly #faults = new Map<Fault, number>();
  readonly #fleet: SimulatedFleet;
  #weights: Values;
  #reduction: Reduction<Values> | undefined;
  #doing: Doing = 'nothing';
  #events = 0;

  constructor(scenario: Scenario, makeCore: MakeCore) {
    const { seed, plan, totalSteps, startWith, longestLease } = scenario;
    this.#scenario = scenario;
    this.#dice = new Dice(seed ^ 0x5deece66);
    this.#audit = new Audit(scenario);
    this.#weights = firstWeights(seed);
    this.#core = makeCore({ plan, totalSteps, startWith, longestLease });
    this.#fleet = new SimulatedFleet({
      scenario,
      dice: this.#dice,
      clock: this.#clock,
      coordinator: () => ({
        step: this.#core.step,
        doing: this.#doing,
        over: this.#audit.outcome !== undefined,
      }),
      happened: (fault) => {
        this.#happened(fault);
      },
      tell: (event) => {
        this.#tell(event);
      },
      answer: (member, answer, seconds) => {
        this.#answer(member, answer, seconds);
      },
    });
  }

  run(): SimulatedRun {
    try {
      return this.#run();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const { seed, ...rest } = this.#scenario;
      throw new Error(`seed ${seed}: ${what}\n${JSON.stringify(rest)}\n${this.#trace.toString()}`, {
        cause: error,
      });
    }
  }

  #run(): SimulatedRun {
    const { localRate } = this.#scenario;
    if (this.#scenario.stopAfter === 0) this.#stop();
    if (localRate !== undefined) {
      this.#tell({ type: 'joined', member: LOCAL, profile: { threads: 2, local: true } });
    }
    this.#fleet.start();
    while (this.#clock.advance()) {
      if (this.#events > MOST_EVENTS) throw new Error('the run goes on and on');
    }
    const { outcome, steps, evaluated } = this.#audit;
    if (outcome === undefined)
      throw new Error('nothing is left to happen, and the run is not over');
    return {
      outcome,
      steps,
      weights: this.#weights,
      evaluated,
      coreStep: this.#core.step,
      faults: this.#faults,
    };
  }

  #happened(fault: Fault): void {
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
    this.#trace.note(`(${fault})`);
  }

  #tell(event: CoreEvent<Answer>): void {
    this.#events += 1;
    this.#trace.event(event);
    const commands = this.#core.handle(event);
    for (const command of commands) this.#trace.command(command);
    this.#audit.watch(event, commands);
    for (const command of commands) this.#do(command);
    if (this.#events === this.#scenario.stopAfter) {
      this.#clock.after(0, () => {
        this.#stop();
      });
    }
  }

  #do(command: CoreCommand<Answer>): void {
    const { plan } = this.#scenario;
    switch (command.type) {
      case 'sendWeights':
        for (const id of command.members) {
          this.#fleet.sendWeights(id, command.step, this.#weights.slice());
        }
        return;
      case 'assign':
        this.#doing = 'step';
        if (command.member === LOCAL) this.#computeHere(command.step, command.range);
        else this.#fleet.sendWork(command.member, command.step, command.range);
        return;
      case 'lease':
        this.#doing = 'lease';
        this.#lease(command.step, command.steps);
        return;
      case 'reduce':
        this.#reduction ??= new Reduction(batchOf(plan, command.pieces.step).microBatches, added);
        for (const { node, values } of command.pieces.pieces) this.#reduction.take(node, values);
        return;
      case 'update':
        this.#clock.after(this.#dice.between(0, 0.01), () => {
          this.#doing = 'nothing';
          this.#tell({ type: 'updated', finite: this.#update(command.step) });
        });
        return;
      case 'evaluate':
        this.#doing = 'nothing';
        this.#clock.after(this.#dice.between(0, 0.3), () => {
          this.#tell({ type: 'evaluated' });
        });
        return;
      case 'finish':
        this.#doing = 'nothing';
        return;
      case 'discard':
      case 'wait':
        return;
    }
  }

  #update(step: number): boolean {
    const sum = this.#reduction?.root;
    if (sum === undefined) throw new Error(`step ${step} has no sum`);
    this.#reduction = undefined;
    this.#weights = updatedWeights(this.#weights, sum);
    if (step !== this.#scenario.notFiniteStep) return true;
    this.#happened('not finite');
    return false;
  }

  #computeHere(step: number, range: MicroBatchRange): void {
    const seconds = secondsFor(this.#dice, range.last - range.first, this.#scenario.localRate ?? 1);
    this.#clock.after(seconds, () => {
      const answer = answerOf(this.#scenario, step, range, this.#weights);
      this.#answer(LOCAL, answer, seconds);
    });
  }

  #lease(first: number, steps: number): void {
    const { plan, localRate = 1 } = this.#scenario;
    let taken = 0;
    let finite = true;
    let seconds = 0;
    while (taken < steps && finite) {
      const { microBatches } = batchOf(plan, first + taken);
      const range = { first: 0, last: microBatches };
      const { pieces } = answerOf(this.#scenario, first + taken, range, this.#weights);
      this.#reduction = new Reduction(microBatches, added);
      for (const { node, values } of pieces) this.#reduction.take(node, values);
      finite = this.#update(first + taken);
      seconds += secondsFor(this.#dice, microBatches, localRate);
      taken += 1;
    }
    this.#clock.after(seconds, () => {
      this.#doing = 'nothing';
      this.#tell({ type: 'leased', steps: taken, seconds: this.#measured(seconds), finite });
    });
  }

  #stop(): void {
    if (this.#audit.outcome !== undefined) return;
    this.#happened(this.#scenario.desertion ? 'stopped and deserted' : 'stopped');
    this.#tell({ type: 'stop' });
    if (this.#scenario.desertion) this.#fleet.desert();
  }

  #answer(member: MemberId, answer: Answer, seconds: number): void {
    const { step, range } = answer;
    const event = { type: 'computed', member, step, range, pieces: answer } as const;
    this.#tell({ ...event, seconds: this.#measured(seconds) });
  }

  #measured(seconds: number): number {
    return this.#scenario.coarseClock ? Math.floor(seconds * 10) / 10 : seconds;
  }
}
