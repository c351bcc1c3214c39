import { expect } from 'vitest';
import { expectNoTrace } from '../e2e/support/expectations.js';
import { Place, test as base } from '../e2e/support/place.js';
import type { Running } from '../e2e/support/running.js';
import { HostileWorker } from './hostile-worker.js';
import { residentMegabytes } from './memory.js';
import { RawSocket } from './raw-socket.js';
import { Turnstile } from './turnstile.js';
import { within } from './within.js';

/** Steps of a run that is only there to be attacked, and those before the attack. */
export const STEPS = 12;
export const STEPS_BEFORE = 3;
export const BATCH = 64;
/** Longest life of a connection that is up to nothing: some limits are 2 s, some 10 s. */
export const CUT_OFF_MS = 14_000;
/** In a step. */
export const MICRO_BATCHES = BATCH / 8;

const references = new Map<string, Promise<unknown>>();

/** The weights that one machine trains with these flags, with nobody else there. */
function reference(flags: readonly string[]): Promise<unknown> {
  const key = flags.join(' ');
  const known = references.get(key) ?? trainAlone(flags);
  references.set(key, known);
  return known;
}

async function trainAlone(flags: readonly string[]): Promise<unknown> {
  const place = await Place.create('reference');
  const { weightsSha256 } = await place.result(['train', '--threads', '1', ...flags]);
  await place.close();
  return weightsSha256;
}

/** A real coordinator and an honest worker, a real process too, whose run goes on when it is told. */
export class Siege {
  readonly coordinator: Running;
  readonly port: number;
  readonly turnstile: Turnstile;
  readonly #place: Place;
  readonly #honest: Running;
  readonly #url: string;
  readonly #flags: readonly string[];
  readonly #sockets: { close: () => void }[] = [];

  private constructor(
    place: Place,
    { coordinator, honest }: { coordinator: Running; honest: Running },
    url: string,
    turnstile: Turnstile,
    flags: readonly string[],
  ) {
    this.coordinator = coordinator;
    this.port = Number(new URL(url).port);
    this.turnstile = turnstile;
    this.#place = place;
    this.#honest = honest;
    this.#url = url;
    this.#flags = flags;
  }

  /** @param flags of the training; `serving` of the coordinator and the honest worker besides */
  static async lay(
    place: Place,
    flags: readonly string[] = ['--steps', String(STEPS), '--batch', String(BATCH)],
    serving: readonly string[] = [],
  ): Promise<Siege> {
    const { running, url } = await place.coordinator(['--threads', '0', ...flags, ...serving]);
    const turnstile = await Turnstile.before(url);
    const honest = place.worker(turnstile.url, ['--name', 'honest', ...serving]);
    const siege = new Siege(place, { coordinator: running, honest }, url, turnstile, flags);
    siege.keep(turnstile);
    return siege;
  }

  /** Memory of the coordinator; 0 where the system does not say. */
  get megabytes(): number {
    return residentMegabytes(this.coordinator.pid) ?? 0;
  }

  /** Lets the honest worker take some steps, and holds it at the next one. */
  async begin(): Promise<void> {
    this.turnstile.allow(STEPS_BEFORE);
    await within(this.turnstile.reached(STEPS_BEFORE), 'the first steps');
  }

  /** Something to be closed at the end. */
  keep<T extends { close: () => void }>(socket: T): T {
    this.#sockets.push(socket);
    return socket;
  }

  /** One more honest worker, a process, that has got in. */
  async honestNewcomer(): Promise<Running> {
    const newcomer = this.#place.worker(this.turnstile.url, ['--name', 'newcomer']);
    await this.coordinator.event('worker', ({ name }) => name === 'newcomer');
    return newcomer;
  }

  async worker(headers: Readonly<Record<string, string>> = {}): Promise<HostileWorker> {
    return this.keep(await HostileWorker.connect(this.#url, headers));
  }

  async socket(): Promise<RawSocket> {
    return this.keep(await RawSocket.connect(this.port));
  }

  /** Lets the honest worker go on: the run ends as if nobody had attacked it. */
  async expectUnharmed(): Promise<{ stdout: string; stderr: string; result: object }> {
    this.turnstile.allow(Infinity);
    const result = await this.coordinator.event('result');
    expect(result).toMatchObject({
      outcome: 'complete',
      weightsSha256: await reference(this.#flags),
    });
    expect(await this.#honest.ended).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await this.coordinator.ended;
    expect(code).toBe(0);
    expectOrderly(stderr);
    return { stdout, stderr, result };
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

/** Nothing that a process prints when something went wrong that nobody thought of. */
function expectOrderly(stderr: string): void {
  expectNoTrace(stderr);
  expect(stderr).not.toMatch(/^(error:|\(node:|node:|Uncaught)|Unhandled|Warning:/m);
  expect(stderr).not.toMatch(/[^\x20-\x7e\n]/);
}

/** A test of a coordinator under attack, once its run has begun. */
export const test = base.extend<{ siege: Siege }>({
  siege: async ({ place }, use) => {
    const siege = await Siege.lay(place);
    await siege.begin();
    await use(siege);
    siege.close();
  },
});
