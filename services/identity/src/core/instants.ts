import type { Instant } from './records.ts';

// Seconds reach this in the year 5138, milliseconds left it in 1973.
const FIRST_MILLISECONDS = 1e11;
/** The last instant that fits PostgreSQL's and JavaScript's calendars alike: the end of the year 9999. */
const LAST = 253_402_300_799_999;

/**
 * Reads a time that may be in milliseconds or in seconds since the epoch.
 *
 * @param rounding of a time in seconds: to the `start` or the `end` of that second
 * @returns undefined for what is no time after the epoch
 */
export function toInstant(value: unknown, rounding: 'start' | 'end' = 'start'): Instant | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return undefined;
  const instant =
    value < FIRST_MILLISECONDS
      ? Math.floor(value) * 1000 + (rounding === 'end' ? 999 : 0)
      : Math.floor(value);
  return instant <= LAST ? instant : undefined;
}
