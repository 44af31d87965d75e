import type { Json, JsonObject } from './records.ts';

/**
 * What a webhook body turned out to be; `isAsSent` where its very text can be stored. `value` of a
 * malformed one is its text, fit to be stored.
 */
export type Parsed =
  | { readonly ok: true; readonly value: Json; readonly isAsSent: boolean }
  | { readonly ok: false; readonly value: string };

/** Deeper than any provider goes, and well within what every JSON writer on the way takes. */
const MAX_DEPTH = 64;

/** Escapes that JSON allows and PostgreSQL refuses: U+0000, and halves of surrogate pairs. */
const UNSTORABLE_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/**
 * Parses a webhook body into a value that PostgreSQL can store. What PostgreSQL refuses in a text
 * is replaced by U+FFFD: one odd character must not make a person's row impossible to write.
 */
export function parsePayload(text: string): Parsed {
  try {
    const value: Json = JSON.parse(text);
    if (isTooDeep(value)) return { ok: false, value: storable(text) };
    const isAsSent = isStorable(text);
    return { ok: true, value: isAsSent ? value : storableJson(value), isAsSent };
  } catch {
    return { ok: false, value: storable(text) };
  }
}

/** Whether PostgreSQL takes what a JSON text says as it is. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE_ESCAPE.test(text);
}

/** Whether a value is nested more deeply than can be stored. */
export function isTooDeep(value: Json): boolean {
  return isDeeperThan(value, MAX_DEPTH);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that PostgreSQL takes. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** Of each delivery each part: loops that make no lists take a third of the time. */
function isDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const part of value) if (isDeeperThan(part, levels - 1)) return true;
    return false;
  }
  for (const key in value) if (isDeeperThan(value[key] ?? null, levels - 1)) return true;
  return false;
}

/** JSON that PostgreSQL takes. */
export function storableJson(value: Json): Json {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [storable(key), storableJson(part)]));
}
