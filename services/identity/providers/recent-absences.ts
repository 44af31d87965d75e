import { LRUCache } from 'lru-cache';
import type { Instant } from '../core/records.ts';

const MOST = 10_000;
/** Longer than any delivery is under way. */
const REMEMBERED_MS = 2 * 60_000;

/**
 * Users who were looked for and not found, and when. Of such a user there is nothing to be written where
 * there is no row; but another delivery, which read them just before, may be about to write one. That
 * one asks here, and reads again.
 */
export interface RecentAbsences {
  /** @param clock the instant at which the reading began that did not find the user */
  note(id: string, clock: Instant): void;
  /** Whether the user was not found by a reading that began at this instant or later. */
  hasSince(id: string, clock: Instant): boolean;
}

export function createRecentAbsences(): RecentAbsences {
  const absences = new LRUCache<string, Instant>({ max: MOST, ttl: REMEMBERED_MS });
  return {
    note(id, clock) {
      absences.set(id, Math.max(clock, absences.get(id) ?? clock));
    },
    hasSince: (id, clock) => (absences.get(id) ?? Number.NEGATIVE_INFINITY) >= clock,
  };
}
