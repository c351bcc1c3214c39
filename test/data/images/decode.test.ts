import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodeImage, sizeOfImage } from '../../../src/data/images/decode.js';

function pattern(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => (index * 37) % 256);
}

async function greyPng(): Promise<Uint8Array> {
  const raw = { width: 5, height: 4, channels: 1 } as const;
  return sharp(pattern(20), { raw }).toColourspace('b-w').png().toBuffer();
}

async function colourPng(): Promise<Uint8Array> {
  const raw = { width: 5, height: 4, channels: 3 } as const;
  return sharp(pattern(60), { raw }).png().toBuffer();
}

test('a grey image of the wanted size keeps its bytes, row by row', async () => {
  const source = { name: 'grey', bytes: await greyPng() };
  expect(await sizeOfImage(source)).toEqual({ rows: 4, columns: 5, channels: 1 });
  expect(await decodeImage(source, { rows: 4, columns: 5, channels: 1 })).toEqual(pattern(20));
});

test('a colour image of the wanted size keeps its bytes, channels side by side', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'images-'));
  const file = path.join(folder, 'colour.png');
  await writeFile(file, await colourPng());
  expect(await sizeOfImage(file)).toEqual({ rows: 4, columns: 5, channels: 3 });
  expect(await decodeImage(file, { rows: 4, columns: 5, channels: 3 })).toEqual(pattern(60));
});

test('an image of another size or colour becomes what is wanted', async () => {
  const grey = { name: 'grey', bytes: await greyPng() };
  expect(await decodeImage(grey, { rows: 7, columns: 2, channels: 3 })).toHaveLength(42);
  const colour = { name: 'colour', bytes: await colourPng() };
  expect(await decodeImage(colour, { rows: 3, columns: 9, channels: 1 })).toHaveLength(27);
});

test('a JPEG that lies on its side is turned as its EXIF data says', async () => {
  const create = { width: 8, height: 16, channels: 3, background: 'black' } as const;
  const bytes = await sharp({ create }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const size = await sizeOfImage({ name: 'turned', bytes });
  expect(size).toEqual({ rows: 8, columns: 16, channels: 3 });
});

test('what is transparent is white', async () => {
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  const bytes = await sharp({ create: { width: 3, height: 3, channels: 4, background } })
    .png()
    .toBuffer();
  const decoded = await decodeImage({ name: 'clear', bytes }, { rows: 1, columns: 2, channels: 1 });
  expect([...decoded]).toEqual([255, 255]);
});

test('a truncated image, another file and a missing one are refused by name', async () => {
  const size = { rows: 4, columns: 5, channels: 1 } as const;
  const png = await greyPng();
  const refused = [
    decodeImage({ name: 'cut.png', bytes: png.subarray(0, png.length - 30) }, size),
    decodeImage({ name: 'text.png', bytes: Buffer.from('no image') }, size),
    decodeImage('/no/such.png', size),
  ];
  const messages = await Promise.all(refused.map((one) => one.catch(String)));
  expect(messages[0]).toMatch(/cut\.png cannot be read as an image: /);
  expect(messages[1]).toMatch(/text\.png cannot be read as an image: it contains unsupported/);
  expect(messages[2]).toMatch(/\/no\/such\.png cannot be read as an image: the file .* is gone/);
});
