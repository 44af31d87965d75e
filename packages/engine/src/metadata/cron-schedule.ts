/** Cron expressions as Hasura reads them: five fields, numbers only, UTC. */
import { Cron } from 'croner';

/** croner knows seconds, names of months and more; what Hasura would refuse must not run here. */
const FIVE_FIELDS = /^\s*[\d*,/-]+(\s+[\d*,/-]+){4}\s*$/;
const NICKNAMES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

export interface Schedule {
  /** The next `count` times after `from`. */
  next(from: Date, count: number): Date[];
}

/** Undefined for what is no schedule. */
export function parseSchedule(text: string): Schedule | undefined {
  if (!FIVE_FIELDS.test(text) && !NICKNAMES.includes(text.trim())) return undefined;
  try {
    const cron = new Cron(text.trim(), { timezone: 'UTC', paused: true, domAndDow: false });
    return { next: (from, count) => cron.nextRuns(count, from) };
  } catch {
    return undefined;
  }
}
