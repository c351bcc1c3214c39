import path from 'node:path';
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { diskReason, DtrainError, reasonOf, systemCode } from '../../errors.js';
import { decodeImage, type ImageSize, sizeOfImage } from '../images/decode.js';
import { labelColumn } from './columns.js';
import { type Block, damagedFile, type Label, type Source, type SplitReader } from './source.js';

/** Samples that are read at once. */
const BLOCK = 1024;

/** What a table's samples are: an image each, or the numbers of some columns. */
interface Layout {
  readonly label: string;
  readonly image: string | undefined;
  readonly features: readonly string[];
}

interface Table {
  readonly file: string;
  readonly rows: number;
  readonly read: (
    from: number,
    to: number,
    columns: readonly string[],
  ) => Promise<Record<string, unknown>[]>;
  readonly columns: readonly { readonly name: string; readonly numeric: boolean }[];
}

/**
 * Parquet tables: one sample a row, a column of labels, and a column of images (bytes, or a struct
 * with `bytes` as Hugging Face writes it) or all others numbers.
 * @param test the table to test on, if there is one
 * @throws DtrainError USAGE, DATA_DAMAGED, DATA_MISSING
 */
export async function parquetSource(
  file: string,
  test: string | undefined,
  { label, imageSize }: { readonly label: string | null; readonly imageSize: ImageSize | null },
): Promise<Source> {
  const table = await openTable(file);
  const layout = await layoutOf(table, label);
  const size = layout.image === undefined ? null : (imageSize ?? (await firstSize(table, layout)));
  const tested = test === undefined ? undefined : await openTable(test);
  return {
    name: path.basename(file).replace(/\.[^.]*$/, ''),
    origin: `the Parquet file ${file}`,
    shape: size ? [size.rows, size.columns, size.channels] : [1, 1, layout.features.length],
    inputType: size ? 'uint8' : 'float32',
    train: readTable(table, layout, size),
    ...(tested && { test: readTable(tested, layout, size) }),
  };
}

async function openTable(name: string): Promise<Table> {
  try {
    const file = await asyncBufferFromFile(name);
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => ({
      name: element.name,
      numeric:
        ['INT32', 'INT64', 'FLOAT', 'DOUBLE', 'BOOLEAN'].includes(element.type ?? '') &&
        element.logical_type === undefined,
    }));
    return {
      file: name,
      rows: Number(metadata.num_rows),
      columns,
      read: (rowStart, rowEnd, wanted) =>
        parquetReadObjects({
          file,
          metadata,
          compressors,
          rowStart,
          rowEnd,
          columns: [...wanted],
          utf8: false,
        }),
    };
  } catch (cause) {
    if (systemCode(cause) === undefined) {
      throw damagedFile(name, `is not a Parquet file (${reasonOf(cause)})`, cause);
    }
    const message = `${name} cannot be read: ${diskReason(cause)}.`;
    throw new DtrainError('DATA_MISSING', message, { cause });
  }
}

async function layoutOf(table: Table, wanted: string | null): Promise<Layout> {
  const { columns, file } = table;
  const names = columns.map(({ name }) => name);
  const [first] = await readRows(table, 0, 1, names);
  if (!first) throw damagedFile(file, 'has no rows');
  const image = names.find((name) => bytesIn(first[name]) !== undefined);
  const others = columns.filter(({ name }) => name !== image);
  const label = others[labelColumn(file, others, wanted)]?.name ?? '';
  const features = others.filter(({ name }) => name !== label);
  if (image !== undefined) return { label, image, features: [] };
  const words = features.find(({ numeric }) => !numeric);
  if (words) throw damagedFile(file, `has a column ${words.name} that does not hold numbers`);
  if (features.length === 0) throw damagedFile(file, 'has no column beside the labels');
  return { label, image, features: features.map(({ name }) => name) };
}

async function readRows(
  { file, read }: Table,
  from: number,
  to: number,
  columns: readonly string[],
): Promise<Record<string, unknown>[]> {
  try {
    return await read(from, to, columns);
  } catch (cause) {
    const where = `cannot be read at row ${from} to ${to - 1} (${reasonOf(cause)})`;
    throw damagedFile(file, where, cause);
  }
}

async function firstSize(table: Table, { image = '' }: Layout): Promise<ImageSize> {
  const [first] = await readRows(table, 0, 1, [image]);
  const bytes = bytesIn(first?.[image]) ?? new Uint8Array();
  return sizeOfImage({ name: `${table.file}, row 0,`, bytes });
}

/** The bytes of a cell that holds some. */
function bytesIn(cell: unknown): Uint8Array | undefined {
  const bytes = typeof cell === 'object' && cell !== null && 'bytes' in cell ? cell.bytes : cell;
  return bytes instanceof Uint8Array ? bytes : undefined;
}

function readTable(table: Table, layout: Layout, size: ImageSize | null): SplitReader {
  const { file, rows } = table;
  const { label, image, features } = layout;
  const width = size ? size.rows * size.columns * size.channels : features.length;
  return async function* (bad): AsyncGenerator<Block> {
    const wanted = [label, ...(image === undefined ? features : [image])];
    for (let from = 0; from < rows; from += BLOCK) {
      const read = await readRows(table, from, Math.min(from + BLOCK, rows), wanted);
      const good: { row: number; label: Label; values: ArrayLike<number> }[] = [];
      for (const [index, cells] of read.entries()) {
        const row = from + index;
        const place = `${file}, row ${row},`;
        const own = labelIn(cells[label]);
        if (own === undefined) {
          bad.found(place, 'has no label');
          continue;
        }
        try {
          const values = size
            ? await decodeImage(
                { name: place, bytes: bytesIn(cells[image ?? '']) ?? new Uint8Array() },
                size,
              )
            : features.map((feature) => numberIn(cells[feature]));
          good.push({ row, label: own, values });
        } catch (error) {
          if (!(error instanceof DtrainError)) throw error;
          bad.failed(error);
        }
      }
      const values = new (size ? Uint8Array : Float32Array)(good.length * width);
      good.forEach((sample, index) => {
        values.set(sample.values, index * width);
      });
      yield {
        values,
        labels: good.map((sample) => sample.label),
        place: (index) => `${file}, row ${good[index]?.row ?? 0},`,
      };
    }
  };
}

function labelIn(cell: unknown): Label | undefined {
  if (typeof cell === 'bigint' || typeof cell === 'boolean') return Number(cell);
  return typeof cell === 'number' || typeof cell === 'string' ? cell : undefined;
}

/** NaN, which no sample may have, for what is no number. */
function numberIn(cell: unknown): number {
  if (typeof cell === 'bigint' || typeof cell === 'boolean') return Number(cell);
  return typeof cell === 'number' ? cell : NaN;
}
