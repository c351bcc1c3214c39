import { Core } from '../../coordinator/core.js';
import { Ledger } from '../../coordinator/ledger.js';
import type { Outcome } from '../../coordinator/core-messages.js';
import { batchOf, stepsPerEpoch } from '../../src/data/batches.js';
import { bits, type Values } from '../reduce/fake-sums.js';
import type { LedgerOnDisk } from './audited-ledger.js';
import { check } from './check.js';
import { Clock } from '../../plan/simulation/clock.js';
import { MortalClock } from './clock.js';
import { Dice } from './dice.js';
import { ReferenceRun } from './fake-model.js';
import { type Effect, type Fault, FaultLog, FEWEST } from './faults.js';
import { Life, type Parts } from './life.js';
import type { Answer } from './members.js';
import { Progress } from './progress.js';
import { randomScenario, randomSetup, type Scenario } from './scenario.js';
import { Storage } from './storage.js';
import { Trace } from './trace.js';
import type { Trainer } from './trainer.js';

export interface SimulatedRun {
  readonly outcome: Outcome;
  readonly steps: number;
  readonly weights: Values;
  readonly lives: number;
  readonly counts: ReadonlyMap<Fault | Effect, number>;
  readonly trace: Trace;
}

const soundParts: Parts = {
  makeCore: (options) => new Core<Answer>(options),
  makeLedger: (options, now) => new Ledger(options, now),
  disk: (disk) => disk,
  save: (checkpoint) => checkpoint,
  resume: (checkpoint) => checkpoint,
};

/** More events than any run of a scenario needs. */
const MOST_EVENTS = 50_000;
const TRACE_LINES = 80;

/**
 * Puts the coordinator's core and its checkpoints through the run that follows from `seed`, with
 * all its faults, until it ends. Throws, with what happened, if one of them does what it must not,
 * or if the run gets stuck, or ends in weights that are not those of one member alone.
 */
export async function simulate(
  seed: number,
  parts: Partial<Parts> = {},
  traceLines = TRACE_LINES,
): Promise<SimulatedRun> {
  const all = { ...soundParts, ...parts };
  const simulation = new Simulation(randomScenario(seed), all, traceLines);
  return simulation.run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #parts: Parts;
  readonly #traceLines: number;
  readonly #dice: Dice;
  readonly #clock = new Clock();
  readonly #trace = new Trace(this.#clock);
  readonly #progress = new Progress(this.#clock);
  readonly #reference: ReferenceRun;
  readonly #faults: FaultLog;
  readonly #storage: Storage;
  readonly #evaluated = new Set<number>();
  readonly #ledgerOnDisk: LedgerOnDisk = { recorded: undefined };
  #lives = 0;
  #events = 0;
  #stirred = false;

  constructor(scenario: Scenario, parts: Parts, traceLines: number) {
    const { seed, planned, notFinite, totalSteps } = scenario;
    const steps = notFinite?.step ?? totalSteps;
    const note = (sentence: string): void => {
      this.#trace.note(sentence);
    };
    this.#scenario = scenario;
    this.#parts = parts;
    this.#traceLines = traceLines;
    this.#dice = new Dice(seed);
    this.#reference = new ReferenceRun(scenario);
    this.#faults = new FaultLog({ planned, steps }, this.#dice, note);
    this.#storage = new Storage({
      seed,
      note,
      faults: this.#faults,
      reference: this.#reference,
      wrap: parts.disk,
      onStir: () => {
        this.#stirred = true;
      },
    });
  }

  async run(): Promise<SimulatedRun> {
    try {
      return await this.#run();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const { seed, ...rest } = this.#scenario;
      const trace = this.#trace.last(this.#traceLines);
      const replay = `npm run sim -- --seed ${seed}`;
      throw new Error(`seed ${seed}: ${what} (${replay})\n${JSON.stringify(rest)}\n${trace}`, {
        cause: error,
      });
    }
  }

  async #run(): Promise<SimulatedRun> {
    for (;;) {
      const life = await this.#live();
      const { end, trainer } = life;
      if (end === 'complete' || end === 'notFinite' || (end === 'stopped' && this.#stopIsFinal)) {
        this.#judge(end, trainer);
        const { steps, weights } = trainer;
        const { counts } = this.#faults;
        return { outcome: end, steps, weights, lives: this.#lives, counts, trace: this.#trace };
      }
      const writing = end === 'crash while a checkpoint was written';
      await this.#storage.endLife(this.#dice.chance(writing ? 0.8 : 0.4));
      this.#faults.happened(end === 'stopped' ? 'resumed after a stop' : 'resumed after a crash');
    }
  }

  get #stopIsFinal(): boolean {
    return this.#scenario.stopIsFinal && this.#faults.total >= FEWEST;
  }

  async #live(): Promise<Life> {
    const clock = new MortalClock(this.#clock);
    const setup = randomSetup(this.#scenario, this.#lives++);
    const life = new Life({
      scenario: this.#scenario,
      setup,
      dice: this.#dice,
      clock,
      trace: this.#trace,
      faults: this.#faults,
      progress: this.#progress,
      storage: this.#storage,
      reference: this.#reference,
      parts: this.#parts,
      ledgerOnDisk: this.#ledgerOnDisk,
      onEvaluated: (epoch) => {
        this.#evaluated.add(epoch);
      },
    });
    life.start();
    await this.#settle();
    while (life.end === undefined) {
      check(this.#clock.advance(), 'nothing is left to happen, and the run is not over');
      await this.#settle();
      life.check();
      this.#progress.check();
      check(this.#events + life.events <= MOST_EVENTS, 'the run goes on and on');
    }
    this.#events += life.events;
    clock.die();
    return life;
  }

  /** Lets promises go on until only time can bring them further. */
  async #settle(): Promise<void> {
    if (!this.#stirred) return;
    this.#stirred = false;
    await new Promise(setImmediate);
  }

  /** Whether nothing was lost in the end. */
  #judge(outcome: Outcome, trainer: Trainer): void {
    const { plan, totalSteps, notFinite } = this.#scenario;
    const { steps, samples, weights } = trainer;
    if (outcome === 'notFinite') {
      check(steps === notFinite?.step, `step ${steps} was finite`);
      return;
    }
    const complete = outcome === 'complete';
    check(!complete || steps === totalSteps, `complete after ${steps} of ${totalSteps} steps`);
    const expected = this.#reference.after(steps);
    const same = String(bits(weights)) === String(bits(expected.weights));
    check(same, 'the final weights are not those of one member alone');
    let trained = 0;
    for (let step = 0; step < steps; step++) trained += batchOf(plan, step).samples;
    check(samples === trained, `the run counts ${samples} samples instead of ${trained}`);
    const epochs = steps / stepsPerEpoch(plan);
    const due = complete ? Math.ceil(epochs) : Math.floor(epochs);
    for (let epoch = 0; epoch < due; epoch++) {
      check(this.#evaluated.has(epoch), `epoch ${epoch} was never evaluated`);
    }
  }
}
