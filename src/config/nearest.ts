/** The name that a mistyped one most likely means: at most two edits away, one if it is short. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  let least = Math.min(2, Math.ceil(typed.length / 3));
  let found: string | undefined;
  for (const name of names) {
    const distance = edits(typed.toLowerCase(), name.toLowerCase());
    if (distance < least || (distance === least && found === undefined)) {
      least = distance;
      found = name;
    }
  }
  return found;
}

/** Levenshtein's distance: insertions, deletions and substitutions that turn `a` into `b`. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
