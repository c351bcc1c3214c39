import { DtrainError } from '../../errors.js';

/** A column of a table: its name, or what stands for one, and whether it holds numbers. */
export interface Column {
  readonly name: string;
  readonly numeric: boolean;
}

const USUAL_NAMES = ['label', 'labels', 'class', 'target'];

/**
 * Which column holds the labels: the one that is asked for, by name or by its place from 0, else the
 * one that is called label, labels, class or target, else the only one that holds no numbers, else
 * y.
 * @throws DtrainError USAGE if there is no such column, or none can be told
 */
export function labelColumn(
  file: string,
  columns: readonly Column[],
  wanted: string | null,
): number {
  const named = columns.map(({ name }) => name);
  if (wanted !== null) {
    const place = named.indexOf(wanted);
    if (place !== -1) return place;
    const index = /^\d+$/.test(wanted) ? Number(wanted) : columns.length;
    if (index < columns.length) return index;
    throw new DtrainError('USAGE', `${file} has no column ${wanted}: ${listed(named)}.`);
  }
  const called = (name: string): number[] =>
    places(columns, (column) => column.name.toLowerCase() === name);
  const words = places(columns, ({ numeric }) => !numeric);
  for (const [only, another] of [...USUAL_NAMES.map(called), words, called('y')]) {
    if (only !== undefined && another === undefined) return only;
  }
  const message = `It cannot be told which column of ${file} holds the labels: name one with --label, or its place from 0; ${listed(named)}.`;
  throw new DtrainError('USAGE', message);
}

function places(columns: readonly Column[], fits: (column: Column) => boolean): number[] {
  return columns.flatMap((column, index) => (fits(column) ? [index] : []));
}

const SHOWN = 20;

function listed(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `its columns are ${names.slice(0, SHOWN).join(', ')}${more}`;
}
