import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { type Place, test } from './support/place.js';
import type { JsonEvent } from './support/running.js';

/** Draws a 1 as somebody may: dark on light paper, small, off the middle. */
function drawn(ink: string, paper: string): sharp.Sharp {
  const one = '<rect x="150" y="40" width="9" height="70"/>';
  const svg = `<svg width="300" height="200"><rect width="300" height="200" fill="${paper}"/><g fill="${ink}">${one}</g></svg>`;
  return sharp(Buffer.from(svg));
}

async function trained(place: Place): Promise<void> {
  await place.result(['train', '--steps', '150', '--out', 'run']);
}

async function predict(place: Place, ...images: string[]): Promise<JsonEvent[]> {
  const { code, stdout, stderr } = await place.run(['predict', 'run', ...images, '--json']);
  expect(code, stderr).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as JsonEvent);
}

describe.concurrent('dtrain predict', () => {
  test('takes images of any size, format and polarity for what they show', async ({ place }) => {
    await trained(place);
    await drawn('#222', '#eee').png().toFile(place.at('dark.png'));
    await drawn('#fff', '#000').jpeg().toFile(place.at('light.jpg'));
    await drawn('#fff', '#000').resize(28, 28).png().toFile(place.at('small.png'));
    const [dark, light, small] = await predict(place, 'dark.png', 'light.jpg', 'small.png');
    expect(dark).toMatchObject({ file: 'dark.png', class: 1, name: '1', inverted: true });
    expect(light).toMatchObject({ class: 1, inverted: false, centred: true });
    expect(small).toMatchObject({ inverted: false, centred: false });
    for (const answer of [dark, light, small]) {
      const probabilities = answer?.probabilities as number[];
      expect(probabilities).toHaveLength(10);
      expect(probabilities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
      expect(probabilities[Number(answer?.class)]).toBe(Math.max(...probabilities));
    }
    const { stdout } = await place.run(['predict', 'run', 'dark.png', 'light.jpg']);
    expect(stdout).toMatch(/^dark\.png: 1 {2}\(1 \d+\.\d\d %, \d .*\)\nlight\.jpg: 1 {2}\(/);
  });

  test('names a file that is no image, and a model that is none', async ({ place }) => {
    await trained(place);
    await writeFile(place.at('text.png'), 'no image');
    expectError(
      await place.run(['predict', 'run', 'text.png']),
      1,
      /text\.png cannot be read as an image: /,
    );
    expectError(await place.run(['predict', 'run', 'gone.png']), 1, /gone\.png cannot be read/);
    expectError(await place.run(['predict', 'none', 'text.png']), 1, /none: there is no such file/);
    expect((await place.run(['predict', 'run'])).code).toBe(2);
  });

  test('and eval say the same of a model that was converted', async ({ place }) => {
    await trained(place);
    await drawn('#222', '#eee').png().toFile(place.at('one.png'));
    const { stdout } = await place.run(['convert', 'run', 'moved/model.safetensors']);
    expect(stdout).toBe('moved/model.safetensors\nmoved/data.json\n');
    for (const command of [['predict', 'one.png'], ['eval']]) {
      const [name = '', ...rest] = command;
      const before = await place.run([name, 'run', ...rest]);
      const after = await place.run([name, 'moved/model.safetensors', ...rest]);
      expect(after).toEqual(before);
      expect(after.code).toBe(0);
    }
    expectError(
      await place.run(['convert', 'run', 'moved/model.safetensors']),
      1,
      /moved\/model\.safetensors is there already/,
    );
  });
});
