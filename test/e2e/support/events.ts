import type { Ended, JsonEvent } from './running.js';

/** The events on a `--json` process's standard output. */
export function eventsOf({ stdout }: Ended): JsonEvent[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonEvent);
}

/** The events of a kind, each with its place among all events. */
export function placed(
  events: readonly JsonEvent[],
  kind: string,
): { readonly at: number; readonly event: JsonEvent }[] {
  return events.map((event, at) => ({ at, event })).filter(({ event }) => event.event === kind);
}
