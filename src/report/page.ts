import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { ChartConfiguration, ScatterDataPoint } from 'chart.js';

/** A chart as Chart.js takes it; nothing in it but what JSON can hold. */
export type Chart = ChartConfiguration<'line', ScatterDataPoint[]> | ChartConfiguration<'bar'>;

/**
 * A page that needs no other file and no network.
 * @param charts those that `plots` has made places for, in the same order
 */
export async function htmlPage(
  title: string,
  parts: readonly string[],
  charts: readonly Chart[],
): Promise<string> {
  return document(title, [
    ...parts,
    `<script>${await chartLibrary()}</script>`,
    `<script>${script(charts)}</script>`,
  ]);
}

/**
 * Places for charts, side by side.
 * @param first how many charts the page has before
 * @param bars rows of each bar chart
 */
export function plots(charts: readonly Chart[], first: number, bars: number): string {
  const canvases = charts.map((chart, index) => {
    // A bar for each row; the lines have room enough.
    const height = chart.type === 'bar' ? 110 + 34 * bars : 320;
    const label = escaped(
      `${String(chart.options?.plugins?.title?.text)}: the table has the values`,
    );
    return `<div class="plot" style="height:${height}px"><canvas id="chart-${first + index}" role="img" aria-label="${label}"></canvas></div>`;
  });
  return `<div class="plots">${canvases.join('')}</div>`;
}

/** A table; the first row is its head, the first column the names of the others. */
export function htmlTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const heading = (text: string): string => `<th>${escaped(text)}</th>`;
  const lines = rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => `<td>${escaped(cell)}</td>`).join('');
    return `<tr>${heading(name)}${values}</tr>`;
  });
  return `<div class="wide"><table><thead><tr>${head.map(heading).join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`;
}

/** Chart.js as one script for browsers; its licence stands at its head. */
async function chartLibrary(): Promise<string> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('chart.js'));
  const code = await readFile(path.join(folder, 'chart.umd.min.js'), 'utf8');
  return code.replace(/^\/\/# sourceMappingURL=.*$/m, '');
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

/** Lines of text under each other. */
export function paragraph(lines: readonly string[]): string {
  return `<p>${lines.map(escaped).join('<br>\n')}</p>`;
}

export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function document(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
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
