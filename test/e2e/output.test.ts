import { readdir, readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { entry, test } from './support/place.js';
import { canOpenPty, startOnTerminal, withPty } from './support/pty.js';
import type { Running } from './support/running.js';
import { Terminal } from './support/terminal.js';

const RUN = ['--batch', '250', '--epochs', '3', '--validation', '6000', '--out', 'run'];
const DTRAIN = [process.execPath, entry];

// eslint-disable-next-line no-control-regex -- that is what is looked for
const ESCAPE = /\x1b/;
// eslint-disable-next-line no-control-regex -- that is what is looked for
const COLOUR = /\x1b\[[\d;]*m/;
const PROGRESS = /epoch \d+\/\d+ {2}step \d+\/\d+/;

/** A line of a run with a validation split, in full. */
const EPOCH =
  /^epoch (\d+)\/(\d+) {2}loss \d+\.\d{4} {2}train \d+\.\d\d % {2}validation \d+\.\d\d % {2}test \d+\.\d\d % {2}[\d.:]+( s)? {2}[\d,]+ samples\/s$/;

/** What may stand in the scroll-back of a good run, line by line. */
const WHOLE = [
  EPOCH,
  /^Downloading MNIST \(11 MB at most, once\) into \/\S+\.$/,
  /^train-images-idx3-ubyte\.gz could not be downloaded: .*\.$/,
  /^Only 10,000 real MNIST training images .* full MNIST\.$/,
  /^run: lenet5, 61,706 parameters, [\d,]+ steps of 250$/,
  /^mnist-10k from .*: 3,000 samples to train, 6,000 held out, 1,000 to test$/,
  /^engine wasm, .*\d+ threads?$/,
  /^Workers join with:$/,
  /^ {2}dtrain worker ws:\/\/127\.0\.0\.1:\d+$/,
  /^\S+ joined with 1 thread; 1 worker now\.$/,
  /^\S+ is a spare for now: a step would take [\d.]+ ms with it and [\d.]+ ms without it\.$/,
  /^\S+ has a share of the steps again: a step would take [\d.]+ ms with it and [\d.]+ ms without it\.$/,
  /^\S+ is gone: it left; 0 workers now\.$/,
  /^(\^C)?Stopping after this step; press Ctrl-C again to stop at once\.$/,
  /^Test accuracy \d+\.\d\d %, loss \d\.\d{4}; (stopped )?after \d+ steps in [\d.:]+ s, [\d,]+ samples\/s\.$/,
  /^Weights SHA-256 [0-9a-f]{64}$/,
  /^Saved in \/\S+\/run$/,
  /^Go on with:$/,
  /^ {2}dtrain (train|coordinator) --resume \/\S+\/run$/,
  /^$/,
];

function expectWholeLines(lines: readonly string[]): void {
  const broken = lines.filter((line) => !WHOLE.some((pattern) => pattern.test(line)));
  expect(broken, lines.join('\n')).toEqual([]);
}

/** The screen after all that a process printed. */
function screenOf(running: Running, columns: number, rows: number): Terminal {
  const terminal = new Terminal(columns, rows);
  terminal.write(running.bytes.toString());
  return terminal;
}

describe.concurrent('without a terminal', () => {
  test('a line for each epoch on standard output, without escapes', async ({ place }) => {
    const { code, stdout, stderr } = await place.run(['train', ...RUN]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expectWholeLines(lines);
    const epochs = lines.flatMap((line) => EPOCH.exec(line)?.slice(1, 3).join('/') ?? []);
    expect(epochs).toEqual(['1/3', '2/3', '3/3']);
    expect(stdout + stderr).not.toMatch(ESCAPE);
    expect(stderr).toBe('');
  });

  test('NO_COLOR leaves out the colours that others would force', async ({ place }) => {
    const env = { NO_COLOR: '1', CI: 'true' };
    const { stdout, stderr } = await place.run(['train', '--steps', '3'], { env });
    expect(stdout + stderr).not.toMatch(ESCAPE);
  });

  test('a run that --steps ends within its first epoch does not promise more', async ({
    place,
  }) => {
    const { stdout } = await place.run(['train', '--steps', '5']);
    expect(stdout).toMatch(/^epoch 1\/1 /m);
  });

  test('--quiet prints the result alone', async ({ place }) => {
    const { stdout, stderr } = await place.run(['train', ...RUN, '--steps', '3', '--quiet']);
    expect(stdout).toMatch(/^Test accuracy .*\nWeights SHA-256 .*\nSaved in .*\n$/);
    expect(stderr).toBe('');
  });
});

test('a reader that leaves early does not cost the run its model', async ({ place }) => {
  const command = [...DTRAIN, 'train', ...RUN];
  await place.spawn('sh', ['-c', '"$0" "$@" | head -n 1', ...command]).ended;
  expect(await readdir(place.at('run'))).toContain('model.json');
});

describe.concurrent('on a terminal', () => {
  for (const [columns, rows] of [
    [100, 30],
    [40, 10],
  ] as const) {
    test.skipIf(!canOpenPty)(
      withPty(`of ${columns} columns: a progress line, and whole lines in the scroll-back`),
      async ({ place }) => {
        const size = [columns, rows] as const;
        const running = startOnTerminal(place, size, [...DTRAIN, 'train', ...RUN]);
        expect((await running.ended).code, running.bytes.toString()).toBe(0);
        const text = running.bytes.toString();
        expect(text).toMatch(PROGRESS);
        if (columns === 100) {
          expect(text).toMatch(
            /step \d+\/36 {2}\[#*-*\] {2}loss \d\.\d+ {2}[\d,]+ samples\/s {2}.* left/,
          );
        }

        const live = new Terminal(columns, rows);
        for (const part of text.split('\n')) {
          live.write(part);
          const drawn = live.lines.filter((line) => PROGRESS.test(line));
          expect(drawn.length, live.lines.join('\n')).toBeLessThan(2);
          live.write('\n');
        }
        const { lines, cursorVisible } = screenOf(running, columns, rows);
        expectWholeLines(lines);
        const epochs = lines.flatMap((line) => EPOCH.exec(line)?.[1] ?? []);
        expect(epochs).toEqual(['1', '2', '3']);
        expect(lines.filter((line) => line.startsWith('Test accuracy'))).toHaveLength(1);
        expect(lines.filter((line) => line === '').length, 'no empty lines').toBeLessThan(2);
        expect(cursorVisible).toBe(true);
      },
    );
  }

  test.skipIf(!canOpenPty)(withPty('NO_COLOR is honoured'), async ({ place }) => {
    const run = [...DTRAIN, 'train', ...RUN];
    const running = startOnTerminal(place, [80, 24], run, { env: { NO_COLOR: '1' } });
    expect((await running.ended).code, running.bytes.toString()).toBe(0);
    expect(running.bytes.toString()).not.toMatch(COLOUR);
    expectWholeLines(screenOf(running, 80, 24).lines);
  });

  test.skipIf(!canOpenPty)(
    withPty('workers that come and go, and Ctrl-C, leave whole lines'),
    async ({ place }) => {
      const flags = ['--port', '0', '--threads', '1', ...RUN, '--epochs', '10000'];
      const running = startOnTerminal(place, [80, 24], [...DTRAIN, 'coordinator', ...flags]);
      const line = await running.line(/dtrain worker ws:/);
      const [url = ''] = /ws:\S+/.exec(line) ?? [];
      const worker = place.worker(url, ['--name', 'guest']);
      await running.line(/guest joined/);
      worker.signal('SIGINT');
      await running.line(/guest is gone/);
      running.signal('SIGUSR1');
      expect((await running.ended).code, running.bytes.toString()).toBe(0);
      const { lines, cursorVisible } = screenOf(running, 80, 24);
      expectWholeLines(lines);
      for (const words of [/^guest joined/, /^guest is gone/, /Stopping after/, /stopped after/]) {
        const found = lines.filter((text) => words.test(text));
        expect(found, `${String(words)} in\n${lines.join('\n')}`).toHaveLength(1);
      }
      expect(cursorVisible).toBe(true);
    },
  );

  test.skipIf(!canOpenPty)(withPty('a second Ctrl-C gives the cursor back'), async ({ place }) => {
    const flags = ['--batch', '9000', '--epochs', '10000'];
    const running = startOnTerminal(place, [80, 24], [...DTRAIN, 'train', ...flags]);
    await running.line(/epoch 1\/10000 {2}loss/);
    running.signal('SIGUSR1');
    await running.line(/Stopping after this step/);
    running.signal('SIGUSR1');
    expect((await running.ended).code).toBe(130);
    expect(screenOf(running, 80, 24).cursorVisible).toBe(true);
  });

  test.skipIf(!canOpenPty)(
    withPty('an error after the progress line stands on a line of its own'),
    async ({ place }) => {
      const flags = ['--optimizer', 'sgd', '--lr', '100', '--warmup', '0'];
      const running = startOnTerminal(place, [80, 24], [...DTRAIN, 'train', ...flags]);
      expect((await running.ended).code).toBe(1);
      const { lines } = screenOf(running, 80, 24);
      expect(lines.filter((line) => line.startsWith('error: '))).toHaveLength(1);
      expect(lines.filter((line) => PROGRESS.test(line))).toEqual([]);
    },
  );

  test.skipIf(!canOpenPty)(
    withPty('lines go to a file where standard output is one; the progress line does not'),
    async ({ place }) => {
      const shell = `"$0" "$@" > log.txt`;
      const command = ['sh', '-c', shell, ...DTRAIN, 'train', ...RUN];
      const running = startOnTerminal(place, [80, 24], command);
      expect((await running.ended).code, running.bytes.toString()).toBe(0);
      expect(running.bytes.toString()).toMatch(PROGRESS);
      expect(screenOf(running, 80, 24).lines.join('').trim()).toBe('');
      const log = await readFile(place.at('log.txt'), 'utf8');
      expect(log).not.toMatch(ESCAPE);
      expectWholeLines(log.trimEnd().split('\n'));
    },
  );
});
