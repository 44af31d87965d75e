import { isJsonObject } from '#core/payload.ts';
import type { Json } from '#core/records.ts';

/** With anything in it; that it is written with escapes cannot be told from the text, so those count too. */
const MAY_HOLD = /private_metadata"\s*:(?!\s*(?:\{\s*\}|null\b))|\\u00[5-7]/i;

/**
 * Whether a JSON text may hold `private_metadata` that is not empty. Most do not, and can be kept as they
 * are.
 */
export function mayHoldPrivateMetadata(text: string): boolean {
  return MAY_HOLD.test(text);
}

/**
 * Takes `private_metadata` out of a value, wherever in it they are: they are the server's own notes, may hold
 * secrets, and nothing here needs them.
 */
export function removePrivateMetadata(value: Json): void {
  if (Array.isArray(value)) {
    for (const part of value) removePrivateMetadata(part);
    return;
  }
  if (!isJsonObject(value)) return;
  delete value.private_metadata;
  for (const part of Object.values(value)) removePrivateMetadata(part);
}
