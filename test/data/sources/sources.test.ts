import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { assemble, type AssembleOptions } from '../../../src/data/assemble.js';
import { isInMemory, type Split } from '../../../src/data/dataset.js';
import { findSource, type SourceOptions } from '../../../src/data/sources/find.js';
import { temporaryFolder } from '../helpers.js';
import { greyPng, idx, npy, writeFiles, writeNpz } from './files.js';

const OPTIONS = { seed: 1, holdOut: true, skipBad: false, normalise: 'none' } as const;

async function load(place: string, options: Partial<SourceOptions & AssembleOptions> = {}) {
  const source = await findSource(place, { label: null, imageSize: null, ...options });
  return assemble(source, { ...OPTIONS, ...options });
}

function bytes({ images }: Split): Uint8Array {
  if (!isInMemory(images)) throw new Error('The samples are in files.');
  return images;
}

function floats(split: Split): number[] {
  return [...new Float32Array(bytes(split).slice().buffer)];
}

/** The sentence of the error that loading ends with. */
async function problem(place: string, options: Partial<SourceOptions> = {}): Promise<string> {
  return load(place, options).then(
    () => 'no error',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

const pixels = Uint8Array.from({ length: 4 * 6 }, (_, index) => index);

test('IDX files of any shape, plain or gzip, by any of their names', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'emnist-letters-train-images-idx3-ubyte.gz': gzipSync(idx([4, 2, 3], pixels)),
    'emnist-letters-train-labels-idx1-ubyte': idx([4], Uint8Array.of(0, 5, 2, 1)),
    'emnist-letters-test-images.idx3-ubyte': idx([1, 2, 3], pixels.subarray(6, 12)),
    'emnist-letters-test-labels.idx1-ubyte.gz': gzipSync(idx([1], Uint8Array.of(5))),
  });
  const data = await load(folder);
  expect(data).toMatchObject({ shape: [2, 3, 1], inputType: 'uint8', classes: 6, heldOut: false });
  expect([...bytes(data.train)]).toEqual([...pixels]);
  expect([...data.train.labels]).toEqual([0, 5, 2, 1]);
  expect(data.test).toEqual({
    count: 1,
    images: pixels.subarray(6, 12),
    labels: Uint8Array.of(5),
  });
  expect((await load(path.join(folder, 'emnist-letters'))).name).toBe('emnist-letters');
});

test('IDX files that end too soon are refused, or give the samples that are whole', async () => {
  const folder = await temporaryFolder();
  const labels = Uint8Array.of(0, 1, 1, 0);
  await writeFiles(folder, {
    'train-images-idx3-ubyte': idx([4, 2, 3], pixels.subarray(0, 23)),
    'train-labels-idx1-ubyte': idx([4], labels),
  });
  expect(await problem(folder)).toMatch(
    /train-images-idx3-ubyte is truncated: it ends within sample 3 of 4; correct it, or add --skip-bad/,
  );
  const data = await load(folder, { skipBad: true });
  expect([data.train.count + data.test.count, data.skipped]).toEqual([3, 1]);
  await writeFiles(folder, { 'train-labels-idx1-ubyte': idx([3], labels.subarray(0, 3)) });
  expect(await problem(folder)).toMatch(/has 4 samples, and .*labels-idx1-ubyte has 3 labels/);
  await writeFiles(folder, { 'train-images-idx3-ubyte': Buffer.from('not IDX') });
  expect(await problem(folder)).toMatch(/images-idx3-ubyte is not an IDX file/);
  await writeFiles(folder, { 'train-images-idx3-ubyte': gzipSync(pixels).subarray(0, 15) });
  expect(await problem(folder)).toMatch(/images-idx3-ubyte holds damaged gzip data/);
});

test('NumPy arrays as Keras has them, in one file or one file each', async () => {
  const folder = await temporaryFolder();
  const arrays = {
    x_train: npy('|u1', [2, 2, 2, 3], pixels),
    y_train: npy('<i8', [2, 1], BigInt64Array.of(1n, 0n)),
    x_test: npy('|u1', [1, 2, 2, 3], pixels.slice(0, 12)),
    y_test: npy('<f8', [1], Float64Array.of(1)),
  };
  await writeNpz(path.join(folder, 'pictures.npz'), arrays);
  await writeFiles(
    path.join(folder, 'each'),
    Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])),
  );
  for (const place of ['pictures.npz', 'each']) {
    const data = await load(path.join(folder, place));
    expect(data).toMatchObject({ shape: [2, 2, 3], inputType: 'uint8', classes: 2 });
    expect([...bytes(data.train)]).toEqual([...pixels]);
    expect([...data.train.labels]).toEqual([1, 0]);
    expect([...data.test.labels]).toEqual([1]);
  }
});

test('NumPy arrays of other numbers become float32, and rows are features', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'x_train.npy': npy('<f8', [2, 3], Float64Array.of(0.5, -1, 0.1, 7, 8, 9)),
    'y_train.npy': npy('<i4', [2], Int32Array.of(0, 1)),
    'x_test.npy': npy('<i2', [1, 3], Int16Array.of(-300, 0, 2)),
    'y_test.npy': npy('|u1', [1], Uint8Array.of(0)),
  });
  const data = await load(folder);
  expect(data).toMatchObject({ shape: [1, 1, 3], inputType: 'float32' });
  expect(floats(data.train)).toEqual([0.5, -1, Math.fround(0.1), 7, 8, 9]);
  expect(floats(data.test)).toEqual([-300, 0, 2]);
});

test.each([
  ['is not a NumPy array', Buffer.from('something else altogether')],
  ['does not hold numbers that can be read', npy('<U5', [2], new Uint8Array(40))],
  ['does not hold numbers that can be read', npy('>f4', [2], new Uint8Array(8))],
  ['is in Fortran order', npy('<f4', [2, 1], new Uint8Array(8), 'True')],
])('a NumPy file that %s', async (expected, bytes) => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'x_train.npy': bytes,
    'y_train.npy': npy('|u1', [2], Uint8Array.of(0, 1)),
  });
  expect(await problem(folder)).toMatch(`x_train.npy ${expected}`);
});

test('a CSV file with a header, quotes and names of classes', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'train.csv': '\uFEFF"length; cm";kind;"width"\r\n1.5;"b, ""so""";-2\r\n3;a;4e-1\r\n\r\n',
    'test.csv': '"length; cm";kind;"width"\n0;a;1\n',
  });
  const data = await load(folder);
  expect(data).toMatchObject({
    shape: [1, 1, 2],
    inputType: 'float32',
    classes: 2,
    classNames: ['a', 'b, "so"'],
  });
  expect(floats(data.train)).toEqual([1.5, -2, 3, Math.fround(0.4)]);
  expect([...data.train.labels]).toEqual([1, 0]);
  expect([floats(data.test), [...data.test.labels]]).toEqual([[0, 1], [0]]);
});

test('a CSV file of numbers alone has no header, and its labels have to be named', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'plain.csv');
  await writeFiles(folder, { 'plain.csv': '0,1,2\n1,3,4\n1,5,6\n0,7,8\n' });
  expect(await problem(file)).toMatch(
    /cannot be told which column .* --label.*columns are 0, 1, 2/,
  );
  const data = await load(file, { label: '0' });
  expect([data.train.count, data.test.count, data.classes]).toEqual([3, 1, 2]);
  expect(data.heldOut).toBe(true);
  expect(data.note).toMatch(/1 of 4 samples are held out .* the seed 1/);
  const again = await load(file, { label: '0' });
  expect(again.test).toEqual(data.test);
  const seeds = await Promise.all([2, 3, 4, 5].map((seed) => load(file, { label: '0', seed })));
  expect(new Set(seeds.map((other) => floats(other.test).join())).size).toBeGreaterThan(1);
});

test('bad rows of a CSV file are named by their line, or left out and counted', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'bad.csv');
  const rows = ['x,y,label', '1,2,0', '3,4', '5,,1', '6,7,1', '8,9,', '1,inf,0', '2,2,0'];
  for (const [row, expected] of [
    ['1,2', 'line 3, has 2 columns instead of 3'],
    ['1,x2,0', 'line 3, has "x2" in the column y instead of a number'],
    ['1,2,', 'line 3, has no label'],
    ['1e39,2,0', 'line 3, has a value that is not a finite number'],
    ['1,"2"3,0', 'line 3, cannot be read'],
  ] as const) {
    await writeFiles(folder, { 'bad.csv': ['x,y,label', '1,2,1', row, '1,2,0', ''].join('\n') });
    expect(await problem(file)).toContain(`bad.csv, ${expected}`);
  }
  await writeFiles(folder, { 'bad.csv': rows.join('\n') });
  const data = await load(file, { skipBad: true });
  expect([data.train.count + data.test.count, data.skipped]).toEqual([3, 4]);
  expect(data.note).toMatch(/left out: 4. The first: .*bad.csv, line 3, has 2 columns/);
});

test('a test sample of a class that no training sample has is bad', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'train.csv': 'x,label\n1,cat\n2,dog\n',
    'test.csv': 'x,label\n1,cat\n2,cow\n3,cow\n',
  });
  expect(await problem(folder)).toMatch(/test.csv, line 3, has the label "cow", which no training/);
  const data = await load(folder, { skipBad: true });
  expect([data.test.count, data.skipped]).toEqual([1, 2]);
});

test('more classes than a byte holds, and fewer than two', async () => {
  const folder = await temporaryFolder();
  const rows = Array.from({ length: 300 }, (_, index) => `${index},name ${index}`);
  await writeFiles(folder, {
    'many.csv': ['x,label', ...rows].join('\n'),
    'one.csv': 'x,label\n1,cat\n2,cat\n',
  });
  expect(await problem(path.join(folder, 'many.csv'))).toMatch(/more than the 256 classes/);
  expect(await problem(path.join(folder, 'one.csv'))).toMatch(/fewer than two classes/);
});

test('a folder of images for each class, scaled to the size of the first', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'train/cat/1.png': await greyPng(2, 3, 10),
    'train/dog/2.png': await greyPng(4, 5, 20),
    'train/dog/notes.txt': 'no image',
    'test/dog/3.png': await greyPng(2, 3, 30),
  });
  const data = await load(folder);
  expect(data).toMatchObject({ shape: [2, 3, 1], classNames: ['cat', 'dog'], heldOut: false });
  expect([...bytes(data.train)]).toEqual([
    ...Array<number>(6).fill(10),
    ...Array<number>(6).fill(20),
  ]);
  expect([...data.test.labels]).toEqual([1]);
  const wide = await load(path.join(folder, 'train'), {
    imageSize: { rows: 1, columns: 2, channels: 3 },
  });
  expect(wide).toMatchObject({ shape: [1, 2, 3], heldOut: true });
});

test('an image that cannot be decoded is named, or left out', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'cat/1.png': await greyPng(2, 2, 1),
    'cat/2.png': 'not at all',
    'dog/3.png': await greyPng(2, 2, 3),
  });
  expect(await problem(folder)).toMatch(/cat\/2.png cannot be read as an image: .* --skip-bad/);
  const data = await load(folder, { skipBad: true });
  expect([data.train.count + data.test.count, data.skipped]).toEqual([2, 1]);
});

test('Parquet tables of numbers, and of images as Hugging Face has them', async () => {
  const folder = await temporaryFolder();
  const write = (columns: Parameters<typeof parquetWriteBuffer>[0]['columnData']): Uint8Array =>
    new Uint8Array(parquetWriteBuffer({ columnData: columns }));
  const images = await Promise.all([10, 20, 30].map((value) => greyPng(2, 2, value)));
  await writeFiles(folder, {
    'table.parquet': write([
      { name: 'x', data: [0.5, -1, 2], type: 'DOUBLE' },
      { name: 'n', data: [1n, 2n, 3n], type: 'INT64' },
      { name: 'kind', data: ['a', 'b', 'a'], type: 'STRING' },
    ]),
    'images.parquet': write([
      { name: 'image', data: images, type: 'BYTE_ARRAY' },
      { name: 'label', data: [0n, 1n, 1n], type: 'INT64' },
    ]),
    'broken.parquet': 'PAR1 or not',
  });
  const table = await load(path.join(folder, 'table.parquet'), { holdOut: false });
  expect(table).toMatchObject({ shape: [1, 1, 2], inputType: 'float32', classNames: ['a', 'b'] });
  expect(floats(table.train)).toEqual([0.5, 1, -1, 2, 2, 3]);
  const pictures = await load(path.join(folder, 'images.parquet'), { holdOut: false });
  expect(pictures).toMatchObject({ shape: [2, 2, 1], inputType: 'uint8', classes: 2 });
  expect([...bytes(pictures.train)]).toEqual(
    [10, 20, 30].flatMap((value) => Array<number>(4).fill(value)),
  );
  expect(await problem(path.join(folder, 'broken.parquet'))).toMatch(/is not a Parquet file/);
});

test('a path without data says what data may be', async () => {
  const folder = await temporaryFolder();
  expect(await problem(folder)).toMatch(/holds no data set: it has to hold IDX files, images/);
  expect(await problem(path.join(folder, 'x'))).toMatch(/There is no data at/);
  await writeFiles(folder, { 'x.txt': '' });
  expect(await problem(path.join(folder, 'x.txt'))).toMatch(/x.txt is no data set/);
});
