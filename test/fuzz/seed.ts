import { Dice } from '../sim/dice.js';

/** What all the dice here follow from: `DTRAIN_FUZZ_SEED=7 npx vitest run test/fuzz` plays it again. */
const seed = Number(process.env.DTRAIN_FUZZ_SEED ?? 1);

/** Frames of an attack; more of them for a longer search. */
export const frames = Number(process.env.DTRAIN_FUZZ_FRAMES ?? 10_000);

/** The choices of one connection, whatever the others do. */
export function diceOf(connection: number): Dice {
  return new Dice(Math.imul(seed, 0x9e3779b1) ^ connection);
}

export function pick<T>(dice: Dice, choices: readonly T[]): T {
  const [choice] = choices.slice(dice.whole(0, choices.length - 1));
  if (choice === undefined && choices.length === 0) throw new Error('There is nothing to pick.');
  return choice as T;
}

/** For assertions: how to see it again. */
export function replay(what: string): string {
  return `${what}; DTRAIN_FUZZ_SEED=${seed}`;
}
