/** Which statements PostgreSQL parses and plans once per connection, and by which name it knows them. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** More different texts at a time are hardly of one application. */
const MAX_TEXTS = 2000;
/** In characters, altogether. */
const MAX_LENGTH = 8_000_000;
const texts = new LRUCache<string, { name: string | undefined }>({
  max: MAX_TEXTS,
  maxSize: MAX_LENGTH,
  sizeCalculation: (_, text) => text.length,
});

/**
 * Undefined for a text that was not seen lately: what runs once would only stay behind in each connection.
 */
export function statementName(text: string): string | undefined {
  const known = texts.get(text);
  if (known === undefined) {
    texts.set(text, { name: undefined });
    return undefined;
  }
  known.name ??= createHash('sha256').update(text).digest('base64url');
  return known.name;
}
