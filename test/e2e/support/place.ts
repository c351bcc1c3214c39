import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base } from 'vitest';
import { Proxy } from './proxy.js';
import { type Ended, type JsonEvent, Running } from './running.js';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const entry = path.join(repository, 'dist/src/cli/main.js');

/** A mirror that refuses at once, so that the images come from the npm package. */
const NO_MIRROR = 'http://127.0.0.1:2/';

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** In a process group of its own. */
  readonly detached?: boolean;
}

/** A folder of one test, where its processes work, apart from the user's home and settings. */
export class Place {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #processes: Running[] = [];
  readonly #proxies: Proxy[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.env = {
      PATH: process.env.PATH,
      HOME: path.join(folder, 'home'),
      XDG_CACHE_HOME: path.join(folder, 'home/.cache'),
      DTRAIN_CACHE_DIR: path.join(folder, 'cache'),
      DTRAIN_MNIST_MIRRORS: NO_MIRROR,
      // With an empty cache each process would compile anew; native.test.ts has the other engine.
      DTRAIN_ENGINE: 'wasm',
    };
  }

  static async create(title: string): Promise<Place> {
    if (!existsSync(entry)) throw new Error(`${entry} is not there: run npm run build first.`);
    const slug = title.replace(/[^a-z0-9]+/gi, '-').slice(0, 30);
    const folder = await realpath(await mkdtemp(path.join(tmpdir(), `dtrain-${slug}-`)));
    await mkdir(path.join(folder, 'home'));
    return new Place(folder);
  }

  /** A path in the folder. */
  at(...names: readonly string[]): string {
    return path.join(this.folder, ...names);
  }

  /** Starts `dtrain`. */
  start(args: readonly string[], options: StartOptions = {}): Running {
    return this.spawn(process.execPath, [entry, ...args], options);
  }

  /** Runs `dtrain` to its end. */
  async run(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Runs a training with `--json` to its good end; its last event. */
  async result(args: readonly string[], options: StartOptions = {}): Promise<JsonEvent> {
    const running = this.start([...args, '--json'], options);
    const event = await running.event('result');
    const { code } = await running.ended;
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
    return event;
  }

  /** Starts a coordinator with `--json` on a free port of this machine; with its address. */
  async coordinator(args: readonly string[]): Promise<{ running: Running; url: string }> {
    const running = this.start(['coordinator', '--port', '0', '--json', ...args]);
    return { running, url: await urlOf(running) };
  }

  /** Resumes the coordinator of `run`, where it listened before. */
  async resumed(args: readonly string[] = []): Promise<{ running: Running; url: string }> {
    const running = this.start(['coordinator', '--resume', 'run', '--json', ...args]);
    return { running, url: await urlOf(running) };
  }

  worker(url: string, args: readonly string[] = []): Running {
    return this.start(['worker', url, '--threads', '1', ...args]);
  }

  /** A cable to the coordinator at `url`. */
  async proxy(url: string): Promise<Proxy> {
    const proxy = await Proxy.to(url);
    this.#proxies.push(proxy);
    return proxy;
  }

  spawn(file: string, args: readonly string[], options: StartOptions = {}): Running {
    const running = new Running(file, args, {
      cwd: this.folder,
      ...options,
      env: { ...this.env, ...options.env },
    });
    this.#processes.push(running);
    return running;
  }

  async close(): Promise<void> {
    for (const proxy of this.#proxies) proxy.close();
    await Promise.all(this.#processes.map((running) => running.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Where a coordinator with `--json` listens. */
export async function urlOf(coordinator: Running): Promise<string> {
  const { url } = await coordinator.event('start');
  return String(url);
}

/** A test in a place of its own; the processes that it leaves are killed. */
export const test = base.extend<{ place: Place }>({
  place: async ({ task }, use) => {
    const place = await Place.create(task.name);
    await use(place);
    await place.close();
  },
});

/** The folder with the real, full MNIST, if the environment names one. */
export const fullMnist = process.env.DTRAIN_DATA_DIR;

/** A title that says why a test of the full MNIST is skipped, where it is. */
export function withFullMnist(title: string): string {
  return fullMnist === undefined ? `${title} (skipped: DTRAIN_DATA_DIR is not set)` : title;
}
