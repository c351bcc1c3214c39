import type { Checkpoint } from '../../coordinator/checkpoint/file.js';
import { type CoreCommand, LOCAL, type Outcome } from '../../coordinator/core-messages.js';
import { batchOf } from '../../src/data/batches.js';
import type { Crash, Plannable } from './faults.js';
import type { SimulatedFleet } from './fleet.js';
import { type Answer, answerOf, secondsFor } from './members.js';
import type { Timer } from './timer.js';
import type { Trainer } from './trainer.js';
import type { Doing, World } from './world.js';

interface ShellOptions {
  readonly world: World;
  readonly trainer: Trainer;
  readonly fleet: SimulatedFleet;
  readonly timer: Timer;
  readonly save: (checkpoint: Checkpoint) => void;
  /** Whether something is being read from the disk or written. */
  readonly busy: () => boolean;
  readonly evaluated: (epoch: number) => void;
  readonly crash: (crash: Crash) => void;
  readonly finish: (outcome: Outcome) => void;
}

type Assign = CoreCommand<Answer> & { type: 'assign' };
type Check = CoreCommand<Answer> & { type: 'check' };

/** Micro-batches a second of the coordinator's threads, if they do not take part in the run. */
const CHECK_RATE = 100;
/** So many times as long as usual the threads take for a check at most. */
const BUSY = 30;
/** Seconds that things take at most, and that a crash in the middle of a step waits. */
const LONGEST = { update: 0.01, evaluation: 0.3, crash: 0.5, straggler: 100 };

/** Does what the core wants, as the real coordinator does. */
export class Shell {
  readonly #options: ShellOptions;
  readonly #world: World;
  doing: Doing = 'gathering';

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#world = options.world;
  }

  do(command: CoreCommand<Answer>): void {
    const { trainer, fleet, timer, finish } = this.#options;
    const { faults } = this.#world;
    switch (command.type) {
      case 'sendWeights':
        for (const id of command.members) fleet.sendWeights(id, command.step, trainer.weights);
        return;
      case 'assign':
        this.#assign(command);
        return;
      case 'lease':
        this.#lease(command.step, command.steps);
        return;
      case 'reduce':
        trainer.reduce(command.pieces);
        return;
      case 'check':
        this.#check(command);
        return;
      case 'update':
        this.#update(command.step);
        return;
      case 'evaluate':
        this.#evaluate(command.epoch);
        return;
      case 'save':
        this.#save(command.step);
        return;
      case 'expel':
        fleet.expel(command.member);
        return;
      case 'release':
        fleet.release(command.member);
        return;
      case 'timer':
        timer.set(command.at);
        return;
      case 'standing':
        if (command.spare) fleet.noteSpare(command.member);
        return;
      case 'lost':
        if (command.why === 'stuck') faults.happened('given up as stuck');
        return;
      case 'back':
        faults.happened('taken back');
        return;
      case 'finish':
        this.doing = 'nothing';
        if (command.limit === 'deadline') faults.happened('ended by the deadline');
        if (command.limit === 'budget') faults.happened('ended by the budget');
        finish(command.outcome);
        return;
      case 'discard':
      case 'wait':
        return;
    }
  }

  #assign(command: Assign): void {
    const { faults, clock, dice } = this.#world;
    this.doing = 'step';
    if (command.probe) faults.happened('probed');
    if (command.member === LOCAL) this.#computeHere(command);
    else this.#options.fleet.sendWork(command);
    if (faults.due('crash in the middle of a step')) {
      clock.after(dice.between(0, LONGEST.crash), () => {
        if (this.doing === 'step') this.#options.crash('crash in the middle of a step');
      });
    }
  }

  #computeHere({ step, range }: Assign): void {
    const { dice, faults, progress, clock, tell } = this.#world;
    let seconds = this.#secondsFor(range.last - range.first);
    if (faults.due('straggler')) {
      faults.happened('straggler');
      seconds = Math.min(LONGEST.straggler, seconds * dice.between(5, 50));
      progress.troubled(clock.now + seconds);
    }
    this.#compute(step, range, seconds, (pieces) => {
      const answer = { step, range, pieces, finite: true, seconds: 0 };
      tell({ type: 'computed', member: LOCAL, ...answer });
    });
  }

  #check({ member, step, range }: Check): void {
    const { clock, dice, progress, tell } = this.#world;
    const { trainer } = this.#options;
    // They may have other things to do first.
    const seconds = this.#secondsFor(range.last - range.first) * dice.scale(1, BUSY);
    progress.troubled(clock.now + seconds);
    this.#compute(step, range, seconds, (pieces) => {
      // With weights that changed meanwhile nobody can tell.
      const finite = trainer.steps === step ? pieces.finite : dice.chance(0.5);
      tell({ type: 'checked', member, step, range, pieces, finite });
    });
  }

  #compute(
    step: number,
    range: Assign['range'],
    seconds: number,
    take: (answer: Answer) => void,
  ): void {
    const { clock, scenario } = this.#world;
    clock.after(seconds, () => {
      // The threads see the weights as they are: others, if the step has ended meanwhile.
      take(answerOf(scenario, step, range, this.#options.trainer.weights));
    });
  }

  #secondsFor(microBatches: number): number {
    const { dice, setup } = this.#world;
    return secondsFor(dice, microBatches, setup.localRate ?? CHECK_RATE);
  }

  #lease(first: number, steps: number): void {
    const { scenario, tell } = this.#world;
    let microBatches = 0;
    for (let step = first; step < first + steps; step++) {
      microBatches += batchOf(scenario.plan, step).microBatches;
    }
    const seconds = this.#secondsFor(microBatches);
    this.#during('lease', seconds, 'crash during a lease', () => {
      const { taken, finite } = this.#options.trainer.lease(first, steps);
      this.#tookStep(finite);
      tell({ type: 'leased', steps: taken, finite, seconds: 0.9 * seconds });
    });
  }

  #update(step: number): void {
    const seconds = this.#world.dice.between(0, LONGEST.update);
    this.#during('update', seconds, 'crash during an update', () => {
      const finite = this.#options.trainer.update(step);
      this.#tookStep(finite);
      this.#world.tell({ type: 'updated', finite });
    });
  }

  #evaluate(epoch: number): void {
    const seconds = this.#world.dice.between(0, LONGEST.evaluation);
    this.#during('evaluation', seconds, 'crash during an evaluation', () => {
      this.#options.trainer.endEpoch(epoch);
      this.#options.evaluated(epoch);
      this.#world.tell({ type: 'evaluated' });
    });
  }

  #tookStep(finite: boolean): void {
    if (!finite) this.#world.faults.happened('not finite');
  }

  /** Does something after a while in which the coordinator may crash. */
  #during(doing: Doing, seconds: number, crash: Crash & Plannable, action: () => void): void {
    const { clock, dice, faults, progress } = this.#world;
    this.doing = doing;
    if (faults.due(crash)) {
      clock.after(seconds * dice.next(), () => {
        this.#options.crash(crash);
      });
    }
    clock.after(seconds, () => {
      this.doing = 'nothing';
      progress.moved();
      action();
    });
  }

  #save(step: number): void {
    const { save, busy, trainer, crash } = this.#options;
    const { clock, dice, faults, setup } = this.#world;
    save(trainer.checkpoint(step));
    if (faults.due('crash while a checkpoint was written')) {
      clock.after(setup.diskDelay * dice.between(0, 10), () => {
        if (busy()) crash('crash while a checkpoint was written');
      });
    }
  }
}
