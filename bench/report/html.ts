import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { BenchReport, Table } from '../results.js';
import { allCells, noteLines, settingLines, titleOf, weightsLine } from './cells.js';
import { type Chart, chartsOf } from './charts.js';

/** The report as a page that needs no other file and no network. */
export async function htmlOf(report: BenchReport): Promise<string> {
  const charts: Chart[] = [];
  const sections = report.tables.map((table) => {
    const first = charts.length;
    const own = chartsOf(table);
    charts.push(...own);
    return section(table, own, first);
  });
  return page([
    '<h1>dtrain bench</h1>',
    paragraph(settingLines(report)),
    ...sections,
    paragraph([...noteLines(report), ...report.weights.map(weightsLine)]),
    `<script>${await chartLibrary()}</script>`,
    `<script>${script(charts)}</script>`,
  ]);
}

/** Chart.js as one script for browsers; its licence stands at its head. */
async function chartLibrary(): Promise<string> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('chart.js'));
  const code = await readFile(path.join(folder, 'chart.umd.min.js'), 'utf8');
  return code.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function section(table: Table, charts: readonly Chart[], first: number): string {
  const canvases = charts.map((chart, index) => {
    // A bar for each row; the lines have room enough.
    const height = chart.type === 'bar' ? 110 + 34 * table.rows.length : 320;
    const label = escaped(
      `${String(chart.options?.plugins?.title?.text)}: the table has the values`,
    );
    return `<div class="plot" style="height:${height}px"><canvas id="chart-${first + index}" role="img" aria-label="${label}"></canvas></div>`;
  });
  const [head = [], ...rows] = allCells(table);
  const heading = (text: string): string => `<th>${escaped(text)}</th>`;
  const lines = rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => `<td>${escaped(cell)}</td>`).join('');
    return `<tr>${heading(name)}${values}</tr>`;
  });
  return [
    `<h2>${escaped(titleOf(table))}</h2>`,
    `<div class="plots">${canvases.join('')}</div>`,
    `<div class="wide"><table><thead><tr>${head.map(heading).join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`,
  ].join('\n');
}

function script(charts: readonly Chart[]): string {
  return `
Chart.defaults.plugins.legend.labels.filter = ({ text }) => text !== '';
Chart.defaults.plugins.tooltip.filter = ({ dataset }) => dataset.label !== '';
for (const [index, chart] of ${jsonForScript(charts)}.entries()) {
  new Chart(document.getElementById('chart-' + index), chart);
}
`;
}

/** JSON that cannot end the script it stands in. */
function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function paragraph(lines: readonly string[]): string {
  return `<p>${lines.map(escaped).join('<br>\n')}</p>`;
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function page(parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>dtrain bench</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }
  h2 { font-size: 1.2rem; margin-top: 2.5rem; }
  p { overflow-wrap: anywhere; }
  .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
  .plot { position: relative; min-width: 0; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.85rem; }
  th, td { padding: 0.25rem 0.6rem; text-align: right; white-space: nowrap; }
  th:first-child { text-align: left; }
  tbody tr { border-top: 1px solid #ddd; }
</style>
${parts.join('\n')}
</html>
`;
}
