import path from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { bytesOf, headOf } from './byte-stream.js';
import { type Column, labelColumn } from './columns.js';
import { type Block, damagedFile, type Label, type Source, type SplitReader } from './source.js';

/** How a file is to be read. */
interface Layout {
  readonly delimiter: string;
  readonly header: boolean;
  readonly columns: readonly Column[];
  readonly label: number;
}

interface Row {
  readonly cells: readonly string[];
  /** Of the file, from 1: that the row ends on. */
  readonly line: number;
}

/** Samples of a block. */
const BLOCK = 4096;
/** Bytes in which the first two rows are looked for. */
const HEAD = 2 ** 20;

/**
 * Tables of comma-separated values (or semicolons, or tabs): one sample a row, a column of labels,
 * and all others numbers.
 * @param test the table to test on, if there is one
 * @param label the column of labels, by name or place; null if it can be told
 * @throws DtrainError USAGE, DATA_DAMAGED, DATA_MISSING
 */
export async function csvSource(
  file: string,
  test: string | undefined,
  label: string | null,
): Promise<Source> {
  const layout = await layoutOf(file, label);
  const features = layout.columns.length - 1;
  if (features < 1) throw damagedFile(file, 'has no column beside the labels');
  if (test !== undefined) {
    const { columns } = await layoutOf(test, label);
    if (columns.length !== layout.columns.length) {
      const counts = `${columns.length} columns, and ${file} has ${layout.columns.length}`;
      throw damagedFile(test, `has ${counts}`);
    }
  }
  return {
    name: path.basename(file).replace(/\.[^.]*$/, ''),
    origin: `the CSV file ${file}`,
    shape: [1, 1, features],
    inputType: 'float32',
    train: readRows(file, layout),
    ...(test !== undefined && { test: readRows(test, layout) }),
  };
}

async function layoutOf(file: string, label: string | null): Promise<Layout> {
  const head = Buffer.from(await headOf(bytesOf(file), HEAD)).toString('utf8');
  const delimiter = delimiterOf(head.split(/[\r\n]/, 1)[0] ?? '');
  const rows: (readonly string[])[] = [];
  for await (const { cells } of parsed(file, [Buffer.from(head)], delimiter, 2)) rows.push(cells);
  const [first, second] = rows;
  if (!first || !second) throw damagedFile(file, 'has fewer than two rows');
  const numbers = (cells: readonly string[]): number => cells.filter(isNumber).length;
  const header = numbers(first) < numbers(second);
  const columns = second.map((cell, index) => ({
    name: header ? (first[index] ?? '') : String(index),
    numeric: isNumber(cell),
  }));
  return { delimiter, header, columns, label: labelColumn(file, columns, label) };
}

function delimiterOf(line: string): string {
  const counts = [',', ';', '\t'].map((delimiter) => line.split(delimiter).length);
  return [',', ';', '\t'][counts.indexOf(Math.max(...counts))] ?? ',';
}

function isNumber(cell: string): boolean {
  return cell !== '' && Number.isFinite(Number(cell));
}

function readRows(file: string, { delimiter, header, columns, label }: Layout): SplitReader {
  return async function* (bad): AsyncGenerator<Block> {
    const width = columns.length - 1;
    let values: number[] = [];
    let labels: Label[] = [];
    let lines: number[] = [];
    const block = (): Block => {
      const here = lines;
      return {
        values: Float32Array.from(values),
        labels,
        place: (index) => `${file}, line ${here[index] ?? 0},`,
      };
    };
    let first = header;
    for await (const { cells, line } of parsed(file, bytesOf(file), delimiter)) {
      if (first) {
        first = false;
        continue;
      }
      const problem = problemOf(cells, columns, label);
      if (problem !== undefined) {
        bad.found(`${file}, line ${line},`, problem);
        continue;
      }
      cells.forEach((cell, index) => {
        if (index !== label) values.push(Number(cell));
      });
      labels.push(cells[label] ?? '');
      lines.push(line);
      if (values.length < BLOCK * width) continue;
      yield block();
      [values, labels, lines] = [[], [], []];
    }
    if (labels.length > 0) yield block();
  };
}

function problemOf(
  cells: readonly string[],
  columns: readonly Column[],
  label: number,
): string | undefined {
  if (cells.length !== columns.length) {
    return `has ${cells.length} columns instead of ${columns.length}`;
  }
  if (cells[label] === '') return 'has no label';
  const wrong = cells.findIndex((cell, index) => index !== label && !isNumber(cell));
  if (wrong === -1) return undefined;
  return `has ${JSON.stringify((cells[wrong] ?? '').slice(0, 40))} in the column ${columns[wrong]?.name ?? ''} instead of a number`;
}

/**
 * The rows of a table, at most so many.
 * @throws DtrainError DATA_DAMAGED for quotes in the wrong place: where rows end is unknown then
 */
async function* parsed(
  file: string,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  delimiter: string,
  most = -1,
): AsyncGenerator<Row> {
  const parser = pipeline(
    Readable.from(bytes, { objectMode: false }),
    parse({
      delimiter,
      bom: true,
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: HEAD,
      to: most,
    }),
    // An error of the file's own comes out of the parser too.
    () => undefined,
  );
  try {
    for await (const row of parser as AsyncIterable<unknown>) {
      const { record, info } = row as { record: string[]; info: { lines: number } };
      yield { cells: record, line: info.lines };
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw damagedFile(
      `${file}, line ${String(cause.lines)},`,
      `cannot be read (${cause.message})`,
      cause,
    );
  }
}
