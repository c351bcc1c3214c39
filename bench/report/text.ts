import type { BenchReport } from '../results.js';
import { aligned } from '../../src/report/aligned.js';
import { noteLines, scalingCells, settingLines, stepCells, titleOf, weightsLine } from './cells.js';

/** The report as lines for a terminal. */
export function textOf(report: BenchReport): string[] {
  return [
    ...settingLines(report),
    ...report.tables.flatMap((table) => [
      '',
      titleOf(table),
      ...aligned(scalingCells(table)),
      '',
      ...aligned(stepCells(table)),
    ]),
    '',
    ...noteLines(report),
    ...report.weights.map(weightsLine),
  ];
}
