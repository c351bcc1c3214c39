/** What `--engine` may say. `auto` is the fastest exact engine, or whatever a run's kind wants. */
export const engines = ['auto', 'native', 'wasm', 'tfjs-node', 'tfjs'] as const;
export type EngineChoice = (typeof engines)[number];
export type EngineName = Exclude<EngineChoice, 'auto'>;

/**
 * Exact engines give the same bits on every machine. Approximate ones are equal within a tolerance:
 * their sums depend on the processor and on how a batch was divided.
 */
export const arithmetics = ['exact', 'approximate'] as const;
export type Arithmetic = (typeof arithmetics)[number];

/** Of a run that is started with this engine. */
export function arithmeticOf(engine: EngineChoice): Arithmetic {
  return engine === 'tfjs-node' || engine === 'tfjs' ? 'approximate' : 'exact';
}

/** The engines of an arithmetic, for people: `auto, native or wasm`. */
export function enginesFor(arithmetic: Arithmetic): string {
  const names = engines.filter((name) => name === 'auto' || arithmeticOf(name) === arithmetic);
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
