import { setting, wholeNumber } from '@latchkey/core/settings/fields';
import { z } from 'zod';

/** How many of a table's live rows a repair may delete at once. */
export interface DeletionLimit {
  /** Fewer than this share of them, from 0 to 1; 1 allows for all of them. */
  readonly share: number;
  /** So many whatever their share, as long as some are left. */
  readonly rows: number;
}

/** One lost deletion must not stop the repair of a team of five. */
export const DELETION_LIMIT: DeletionLimit = { share: 0.1, rows: 1 };

/** A text such as `12.5%` or `12.5`; a number from 0 to 1 of it. */
export const shareOfAll = z.string().transform((text, context) => {
  const percent = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim())?.[1];
  if (percent !== undefined && Number(percent) <= 100) return Number(percent) / 100;
  context.addIssue({ code: 'custom', message: 'must be a share from 0% to 100%' });
  return z.NEVER;
});

export const DELETION_LIMIT_SETTINGS = z.object({
  // What a repair may delete at once, for what one key of another instance would do: fewer than this
  // share of a table's live rows, or so many rows whatever their share, while some are left.
  LATCHKEY_DELETION_LIMIT: setting(shareOfAll.default(DELETION_LIMIT.share)),
  LATCHKEY_DELETION_LIMIT_ROWS: wholeNumber(DELETION_LIMIT.rows, 0, 1_000_000),
});
