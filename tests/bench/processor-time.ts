import { readdirSync, readFileSync } from 'node:fs';

/** Of each of some processes, by its id: the processor time it has taken so far, in microseconds. */
export type Spent = ReadonlyMap<number, number>;

/**
 * Processor time differs far less than rates do where other work is on the machine.
 *
 * @param pid its process and all that it has started itself, such as the sessions of PostgreSQL
 * @returns nothing where the system is not Linux, which alone tells it this finely
 */
export function spentBy(pid: number): Spent {
  if (process.platform !== 'linux') return new Map();
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return new Map([pid, ...children].map((one) => [one, ofProcess(one)]));
}

/** What was spent between the two, in microseconds. What ended in between is left out. */
export function spentSince(before: Spent, after: Spent): number {
  return [...after].reduce((sum, [pid, spent]) => sum + spent - (before.get(pid) ?? 0), 0);
}

function ofProcess(pid: number): number {
  const threads = list(`/proc/${pid}/task`);
  // The first number is nanoseconds on a processor.
  const times = threads.map((thread) => Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]));
  return times.reduce((sum, time) => sum + time, 0) / 1000;
}

/** Threads and processes may end while they are being looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
