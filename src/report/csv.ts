export type Cell = string | number | null;

/** Rows as comma-separated values (RFC 4180, but for line ends). */
export function csvLines(rows: readonly (readonly Cell[])[]): string[] {
  return rows.map((cells) => cells.map(quoted).join(','));
}

function quoted(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
