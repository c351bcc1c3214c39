/** What a call's random numbers depend on, as 32-bit words in memory. */
export const DRAW_WORDS = {
  /** The run's. */
  seed: 0,
  step: 1,
  /** Place in the step's batch of the call's first sample; the others' follow. */
  first: 2,
} as const;

/** The same as numbers. */
export type Chance = Readonly<Record<keyof typeof DRAW_WORDS, number>>;
