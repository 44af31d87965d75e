import { LRUCache } from 'lru-cache';

const MOST = 10_000;
/** Longer than any delivery is under way. */
const REMEMBERED_MS = 2 * 60_000;

/**
 * Users who were looked for and not found, and when. Of such a user there is nothing to be written where
 * there is no row; but another delivery, which read them just before, may be about to write one. That
 * one asks here, and reads again.
 */
export interface RecentAbsences {
  /** @param began when the reading began that did not find the user, on a clock that is never set back */
  note(id: string, began: number): void;
  /** Whether the user was not found by a reading that began at this moment or later. */
  hasSince(id: string, began: number): boolean;
}

export function createRecentAbsences(): RecentAbsences {
  const absences = new LRUCache<string, number>({ max: MOST, ttl: REMEMBERED_MS });
  return {
    note(id, began) {
      absences.set(id, Math.max(began, absences.get(id) ?? began));
    },
    hasSince: (id, began) => (absences.get(id) ?? Number.NEGATIVE_INFINITY) >= began,
  };
}
