/** JSON as Hasura reads it: numbers keep their digits, and of a key that an object has twice the first counts. */
import { hasRepeatedKeys, markText, unmark } from './json-marks.ts';
import { NumberLiteral } from './scalar.ts';

/** The same value with ordinary numbers, for readers that know no others. */
export function toJavaScriptNumbers(value: unknown): unknown {
  if (value instanceof NumberLiteral) return Number(value.text);
  if (Array.isArray(value)) return value.map(toJavaScriptNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJavaScriptNumbers(item)]));
}

/**
 * Text without any of these parses the same either way. A number stands at the start, or behind one of few
 * characters: digits within ids are none.
 */
const PERHAPS_LOSSY = /(?:^|[\s[:,])-?(?:[\d.]{16}|[\d.]+[eE][+-]?\d{3})/;

/**
 * Numbers that a JavaScript number would change come as {@link NumberLiteral}. A reviver would do, and takes
 * twenty times as long.
 *
 * @throws {SyntaxError} for a text that is no JSON, or whose strings hold half of a surrogate pair (`"\ud800"`):
 *   that is no text
 */
export function parseExactJson(text: string): unknown {
  const value = PERHAPS_LOSSY.test(text) ? undefined : JSON.parse(text);
  const exact =
    value === undefined || hasRepeatedKeys(text, value) ? unmark(JSON.parse(markText(text))) : value;
  if (PERHAPS_SURROGATE.test(text)) assertWellFormed(exact);
  return exact;
}

/** {@link parseExactJson} with ordinary numbers. @throws {SyntaxError} */
export function parseFirstKeyJson(text: string): unknown {
  return toJavaScriptNumbers(parseExactJson(text));
}

const PERHAPS_SURROGATE = /\\u[dD][89a-fA-F]/;

function assertWellFormed(root: unknown): void {
  const waiting = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string') {
      if (!value.isWellFormed()) throw new SyntaxError('half of a surrogate pair is no text');
    } else if (Array.isArray(value)) {
      for (const item of value) waiting.push(item);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) waiting.push(key, item);
    }
  }
}
