import { LatchkeyError } from '@latchkey/core/errors';
import type { DeletionLimit } from '#core/settings/deletion-limit.ts';
import type { Report, Tally } from './report.ts';

/**
 * @param deletions how many would go by themselves, and not with their user or organization
 * @throws LatchkeyError `repair-refused`
 */
export function checkDeletionLimit(
  { provider, stored }: Pick<Report, 'provider' | 'stored'>,
  deletions: Tally,
  { share, rows }: DeletionLimit,
): void {
  const kinds = ['user', 'organization', 'membership'] as const;
  const tooMany = kinds.filter((kind) => {
    const [gone, all] = [deletions[kind], stored[kind]];
    const isFew = gone <= rows && gone < all;
    return gone > 0 && share < 1 && gone >= share * all && !isFew;
  });
  if (tooMany.length === 0) return;
  const numbers = tooMany.map((kind) => `${deletions[kind]} of ${stored[kind]} ${kind}s`);
  const largest = Math.max(...tooMany.map((kind) => deletions[kind] / stored[kind]));
  const enough = Math.min(100, Math.floor(largest * 100) + 1);
  const limit = `fewer than ${Number((share * 100).toFixed(2))} %${rows > 0 ? ` (or ${rows}, while some are left)` : ''}`;
  throw new LatchkeyError(
    'repair-refused',
    `${provider} lists no more ${numbers.join(', ')}: ${limit} may be deleted at once, so nothing was deleted. Make sure that the settings name the right ${provider}; if this is meant, allow it once: latchkey sync repair --provider ${provider} --deletion-limit ${enough}%`,
  );
}
