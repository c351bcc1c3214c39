import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { chartsOf } from '../../bench/report/charts.js';
import { csvOf } from '../../bench/report/csv.js';
import { htmlOf } from '../../bench/report/html.js';
import { textOf } from '../../bench/report/text.js';
import { aligned } from '../../src/report/aligned.js';
import { measured, reportOf } from './figures.js';

const report = reportOf();

test('columns stand under each other, numbers to the right', () => {
  expect(
    aligned([
      ['what', 'a', 'long one'],
      ['longer', '100', '2'],
    ]),
  ).toEqual(['what      a  long one', 'longer  100         2']);
});

test('the text has a table for each scaling, and says what it ran on', () => {
  const text = textOf(report).join('\n');
  expect(text).toContain('Some, "CPU", 4 cores');
  expect(text).toContain('engine wasm; dtrain 1.2.3, Node 20.0.0');
  expect(text).toContain('Strong scaling: a batch of 64 in all; 2 runs of 100 steps');
  expect(text).toContain('Weak scaling: a batch of 64 for each worker; 2 runs of 100 steps');
  expect(text).toMatch(/^2 threads +64 +2,550 +1,500\.\.3,600 +1\.65 +1\.50\.\.1\.80 +82\.5 %$/m);
  expect(text).toMatch(/^2 threads +128 +2,900 /m);
  expect(text).toMatch(
    /^2 threads +42\.667 +2\.667 +21\.333 +5\.333 +5\.333 +2\.667 +5\.333 +- +-$/m,
  );
  expect(text).toMatch(/^2 processes .* 2 +4$/m);
  expect(text).toMatch(/^The same weights from 8 runs of 4 configurations .* SHA-256 a+64$/m);
});

test('the text says what makes figures hard to compare', () => {
  const machine = { ...report.machine, cores: 1, load: 2.34 };
  const text = textOf({ ...report, machine }).join('\n');
  expect(text).toContain('Other programs were at work as this began (load 2.3)');
  expect(text).toContain('There are more workers than cores.');
  expect(text).toContain('The coordinator shares the cores with the worker processes.');
  expect(textOf(report).join('\n')).not.toMatch(/Other programs|more workers|shares/);
  const spare = measured((one) => (one.configuration.workers === 2 ? { ...one, spares: 1 } : one));
  expect(textOf(reportOf(spare)).join('\n')).toMatch(
    /left without work.*: 2 threads \(batch 64\), 2 processes \(batch 64\)/,
  );
});

test('CSV has one row for each row of the tables, as wide as its head, with quotes where needed', () => {
  const [head = '', ...rows] = csvOf(report);
  expect(rows).toHaveLength(8);
  const names = head.split(',');
  const table = rows.map((row) => cellsOf(row));
  for (const row of table) expect(row).toHaveLength(names.length);
  const column = (name: string): string[] => table.map((row) => row[names.indexOf(name)] ?? '?');
  expect(column('scaling')).toEqual([
    ...Array<string>(4).fill('strong'),
    ...Array<string>(4).fill('weak'),
  ]);
  expect(column('workers')).toEqual(['1', '2', '1', '2', '1', '2', '1', '2']);
  expect(column('processor')[0]).toBe('Some, "CPU"');
  expect(column('commit')[0], 'what is not known is empty').toBe('');
  expect(column('step_bytes_sent')).toEqual(['', '', '1000', '2000', '', '', '1000', '2000']);
  expect(Number(column('speed_up')[1])).toBeCloseTo(1.65);
});

/** The cells of a row of comma-separated values. */
function cellsOf(row: string): string[] {
  return [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, inQuotes, plain]) => inQuotes?.replaceAll('""', '"') ?? plain ?? '',
  );
}

test('charts hold nothing that JSON cannot', () => {
  const charts = report.tables.flatMap(chartsOf);
  expect(JSON.parse(JSON.stringify(charts))).toEqual(charts);
  expect(charts.map(({ type }) => type)).toEqual(['line', 'line', 'bar', 'line', 'line', 'bar']);
});

test('the page draws every chart with nothing but itself', async () => {
  const page = await htmlOf(report);
  expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)=/);
  expect(page).not.toContain('sourceMappingURL');
  expect(page, 'what is quoted is escaped').toContain(
    'mnist from &quot;here&quot;, &lt;there&gt; &amp; elsewhere',
  );
  const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(([, code = '']) => code);
  expect(scripts).toHaveLength(2);
  expect(scripts[0]).toMatch(/Chart\.js v4.*MIT License/s);
  const drawn: string[] = [];
  const draw = (canvas: string, { type }: { type: string }): void => {
    drawn.push(`${canvas} ${type}`);
  };
  const defaults = { plugins: { legend: { labels: {} }, tooltip: {} } };
  const Chart = Object.assign(
    function (...chart: Parameters<typeof draw>): void {
      draw(...chart);
    },
    { defaults },
  );
  const document = {
    getElementById: (id: string) => (page.includes(`<canvas id="${id}"`) ? id : undefined),
  };
  runInNewContext(scripts[1] ?? '', { Chart, document });
  expect(drawn).toEqual(
    ['line', 'line', 'bar', 'line', 'line', 'bar'].map((type, index) => `chart-${index} ${type}`),
  );
});
