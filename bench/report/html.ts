import {
  type Chart,
  escaped,
  htmlPage,
  htmlTable,
  paragraph,
  plots,
} from '../../src/report/page.js';
import type { BenchReport } from '../results.js';
import { allCells, noteLines, settingLines, titleOf, weightsLine } from './cells.js';
import { chartsOf } from './charts.js';

/** The report as a page that needs no other file and no network. */
export async function htmlOf(report: BenchReport): Promise<string> {
  const charts: Chart[] = [];
  const sections = report.tables.map((table) => {
    const own = chartsOf(table);
    const parts = [
      `<h2>${escaped(titleOf(table))}</h2>`,
      plots(own, charts.length, table.rows.length),
      htmlTable(allCells(table)),
    ];
    charts.push(...own);
    return parts.join('\n');
  });
  const parts = [
    '<h1>dtrain bench</h1>',
    paragraph(settingLines(report)),
    ...sections,
    paragraph([...noteLines(report), ...report.weights.map(weightsLine)]),
  ];
  return htmlPage('dtrain bench', parts, charts);
}
