/** JSON whose numbers keep their digits. */
import { randomUUID } from 'node:crypto';
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

/** What may be a number that a JavaScript number cannot hold, whole. */
const CANDIDATE = /-?\d[\d.eE+-]{15,}|-?[\d.]+[eE][+-]?\d{3,}/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Begins the strings that stand for such numbers while the text is parsed: no client knows it. */
const MARK = `number ${randomUUID()} `;

/**
 * Numbers that a JavaScript number would change come as {@link NumberLiteral}. A reviver would do, and takes
 * twenty times as long.
 *
 * @throws {SyntaxError}
 */
export function parseExactJson(text: string): unknown {
  if (!PERHAPS_LOSSY.test(text)) return JSON.parse(text);
  return restore(JSON.parse(markNumbers(text)));
}

function markNumbers(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const outside = text.slice(at, quote === -1 ? undefined : quote);
    parts.push(outside.replace(CANDIDATE, mark));
    if (quote === -1) break;
    at = endOfString(text, quote);
    parts.push(text.slice(quote, at));
  }
  return parts.join('');
}

function mark(number: string): string {
  // What is no number stays as it is, for the parser to refuse.
  return NUMBER.test(number) && String(Number(number)) !== number ? `"${MARK}${number}"` : number;
}

/** Behind the closing quote of the string that begins at `start`; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charAt(quote - 1 - slashes) === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function restore(value: unknown): unknown {
  if (typeof value === 'string')
    return value.startsWith(MARK) ? new NumberLiteral(value.slice(MARK.length)) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      if (typeof item !== 'number') value[index] = restore(item);
    }
    return value;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key.startsWith(MARK)) throw new SyntaxError('a number is no key');
    const restored = restore(item);
    // Not by assignment: a key may be called `__proto__`.
    if (restored !== item)
      Object.defineProperty(value, key, {
        value: restored,
        writable: true,
        enumerable: true,
        configurable: true,
      });
  }
  return value;
}
