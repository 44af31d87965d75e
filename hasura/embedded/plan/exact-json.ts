/** JSON whose numbers keep their digits. */
import { z } from 'zod';
import { NumberLiteral } from './scalar.ts';

const withSource = z.object({ source: z.string() });

/** The same value with ordinary numbers, for readers that know no others. */
export function inexact(value: unknown): unknown {
  if (value instanceof NumberLiteral) return Number(value.text);
  if (Array.isArray(value)) return value.map(inexact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inexact(item)]));
}

/**
 * Text without any of these parses the same either way, and much faster without looking at each value. A
 * number stands at the start, or behind one of few characters: digits within ids are none.
 */
const PERHAPS_LOSSY = /(?:^|[\s[:,])-?(?:[\d.]{16}|[\d.]+[eE][+-]?\d{3})/;

/** Numbers that a JavaScript number would change come as {@link NumberLiteral}. @throws {SyntaxError} */
export function parseExactJson(text: string): unknown {
  if (!PERHAPS_LOSSY.test(text)) return JSON.parse(text);
  // The third argument is newer than the types of JSON.parse.
  const revive = (_key: string, value: unknown, context?: unknown): unknown => {
    if (typeof value !== 'number') return value;
    const { source } = withSource.parse(context);
    return String(value) === source ? value : new NumberLiteral(source);
  };
  return JSON.parse(text, revive);
}
