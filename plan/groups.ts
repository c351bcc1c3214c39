import { spreadOf } from '../bench/statistics.js';
import type { Machine } from './machine.js';
import type { Group } from './prediction.js';

/** Workers whose speeds differ by no more are taken for alike. */
const ALIKE = 1.25;

/** Puts workers that were measured alike together, under the first one's name. */
export function groupsOf(workers: readonly Machine[]): Group[] {
  const groups: Machine[][] = [];
  for (const worker of workers) {
    const group = groups.find(([first]) => first && alike(first, worker));
    if (group) group.push(worker);
    else groups.push([worker]);
  }
  return groups.flatMap((members) => {
    const [first] = members;
    return first ? [{ machine: middle(first, members), count: members.length }] : [];
  });
}

function alike(one: Machine, other: Machine): boolean {
  const near = (a: number, b: number): boolean => Math.max(a, b) <= ALIKE * Math.min(a, b);
  return (
    one.threads === other.threads &&
    one.sharesCores === other.sharesCores &&
    samePrice(one, other) &&
    near(one.microBatchSeconds, other.microBatchSeconds) &&
    near(delayOf(one), delayOf(other))
  );
}

/** A link's part of a step's time, or a millisecond where it is less and differences are noise. */
function delayOf({ link }: Machine): number {
  const LEAST = 1e-3;
  const MEGABYTE = 1e6;
  return link ? Math.max(LEAST, 2 * link.latency + MEGABYTE * link.byteSeconds) : 0;
}

function samePrice({ price: one }: Machine, { price: other }: Machine): boolean {
  return (
    one?.perHour === other?.perHour &&
    one?.perGigabyte === other?.perGigabyte &&
    one?.minimumSeconds === other?.minimumSeconds
  );
}

/** The medians of what was measured. */
function middle(first: Machine, members: readonly Machine[]): Machine {
  const median = (of: (machine: Machine) => number): number => spreadOf(members.map(of)).median;
  // A process's number at the end of a worker's name tells nothing about its kind.
  const name = members.length > 1 ? first.name.replace(/-\d+$/, '') : first.name;
  return {
    ...first,
    name,
    microBatchSeconds: median(({ microBatchSeconds }) => microBatchSeconds),
    shareSeconds: median(({ shareSeconds }) => shareSeconds),
    link: first.link && {
      latency: median(({ link }) => link?.latency ?? 0),
      byteSeconds: median(({ link }) => link?.byteSeconds ?? 0),
    },
  };
}
