import { z } from 'zod';
import { readText } from '../src/config/files.js';
import { ownPrice } from '../src/cost/own-price.js';
import { parsePerHour, type Price } from '../src/cost/price.js';
import { NO_PRICES } from '../src/cost/pricing.js';
import { LANES } from '../src/engine/ir/types.js';
import { DtrainError } from '../src/errors.js';
import { check, clause, quoted } from '../src/model/files/fields.js';
import { limits } from '../src/protocol/protocol.js';
import type { Machine } from './machine.js';
import type { Group } from './prediction.js';

/** A machine as a fleet file describes it. */
export interface DescribedMachine extends Group {
  /** Of one machine: how often it fails, and how long it is gone then. */
  readonly failuresPerHour: number;
  readonly awaySeconds: number;
}

/** What a fleet file describes. */
export interface FleetFile {
  /** The coordinator's own machine; null: its threads do not compute. */
  readonly local: Machine | null;
  readonly workers: readonly DescribedMachine[];
}

const quantity = (least: number, most: number, what: string) => {
  const error = `must be ${what}, from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
};
const whole = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};
const perHour = z
  .string({ error: 'must be a price for an hour such as "0.12/h"' })
  .transform((text, context): Price => {
    const parsed = parsePerHour(text);
    if (parsed) return { ...parsed, minimumSeconds: 0, perGigabyte: 0n };
    const message = `must be a price for an hour such as "0.12/h" or "0.12 EUR/h", not below zero, not ${quoted(text)}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const computing = {
  threads: whole(1, 256),
  /** Gradients of one thread. */
  samplesPerSecond: quantity(0.001, 1e9, 'samples a second of one thread'),
  price: perHour.optional(),
  /** Instead of `price`: a name in the price file. */
  instance: z.string({ error: 'must be the name of an instance' }).optional(),
  spot: z.boolean({ error: 'must be true or false' }).default(false),
};

interface Priced {
  readonly price?: Price | undefined;
  readonly instance?: string | undefined;
  readonly spot: boolean;
}

const fileSchema = z.strictObject({
  coordinator: z.strictObject(computing).optional(),
  machines: z
    .array(
      z.strictObject({
        ...computing,
        name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, {
          error: "must be 1 to 64 letters, digits, '.', '_' or '-'",
        }),
        count: whole(1, limits.workers).default(1),
        latencyMs: quantity(0, 60_000, 'milliseconds, one way').default(0),
        bandwidthMbit: quantity(0.001, 1e6, 'megabits a second').optional(),
        failuresPerHour: quantity(0, 3_600, 'failures in an hour').default(0),
        awaySeconds: quantity(0, 86_400, 'seconds that it is gone after a failure').default(60),
      }),
    )
    .min(1, { error: 'must have at least one machine' }),
});

/**
 * The machines that a file describes.
 * @param prices the price file, in which instances are looked up; null: the user's own
 * @throws DtrainError USAGE that names the entry
 */
export async function readFleetFile(
  file: string,
  namedBy: string,
  prices: string | null = null,
): Promise<FleetFile> {
  const text = await readText(file, namedBy);
  const fail = (problem: string, cause?: unknown): DtrainError =>
    new DtrainError('USAGE', `The fleet file ${file}: ${problem}.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail(`it is not valid JSON: ${String(cause).replace(/^SyntaxError: /, '')}`, cause);
  }
  const checked = check(fileSchema, value);
  if (!checked.ok) {
    const { path, complaint } = checked;
    throw fail(`${entryAt(value, path)}${clause(path, complaint)}`);
  }
  const { coordinator, machines } = checked.value;
  const names = machines.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw fail(`two machines are called ${twice}: use their count`);
  const total = machines.reduce((sum, { count }) => sum + count, 0);
  if (total > limits.workers) {
    throw fail(`it has ${total} machines, and a run has ${limits.workers} workers at most`);
  }
  const priceOf = async (entry: string, { price, instance, spot }: Priced) => {
    if (price && instance !== undefined) throw fail(`${entry}: price and instance are both there`);
    try {
      return price ?? (await ownPrice({ ...NO_PRICES, instance: instance ?? null, spot, prices }));
    } catch (cause) {
      if (!(cause instanceof DtrainError)) throw cause;
      throw fail(`${entry}: ${cause.message.replace(/\.$/, '')}`, cause);
    }
  };
  const workers = machines.map(async ({ latencyMs, bandwidthMbit, ...machine }) => ({
    machine: machineOf({
      ...machine,
      price: await priceOf(machine.name, machine),
      link: {
        latency: latencyMs / 1000,
        byteSeconds: bandwidthMbit === undefined ? 0 : 8 / (bandwidthMbit * 1e6),
      },
    }),
    count: machine.count,
    failuresPerHour: machine.failuresPerHour,
    awaySeconds: machine.awaySeconds,
  }));
  const own = coordinator && {
    ...{ ...coordinator, name: 'threads', link: null },
    price: await priceOf('the coordinator', coordinator),
  };
  return { local: own ? machineOf(own) : null, workers: await Promise.all(workers) };
}

interface Described extends Pick<Machine, 'name' | 'threads' | 'link'> {
  readonly samplesPerSecond: number;
  readonly price: Price | null;
}

function machineOf({ name, threads, link, samplesPerSecond, price }: Described): Machine {
  return {
    name,
    threads,
    link,
    microBatchSeconds: LANES / samplesPerSecond,
    shareSeconds: 0,
    sharesCores: link === null,
    contention: 1,
    price,
  };
}

/** `machine 2 (laptop): `, if that is where a path leads. */
function entryAt(value: unknown, path: readonly PropertyKey[]): string {
  const [list, index] = path;
  if (list !== 'machines' || typeof index !== 'number') return '';
  const machines = z.object({ machines: z.array(z.unknown()) }).safeParse(value).data?.machines;
  const name = z.object({ name: z.string() }).safeParse(machines?.[index]).data?.name;
  return `machine ${index + 1}${name === undefined ? '' : ` (${quoted(name)})`}: `;
}
