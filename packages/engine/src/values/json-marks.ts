/**
 * What `JSON.parse` would lose is marked in the text, and put right in the value: numbers that it would round, and
 * all but the first of equal keys.
 */
import { randomUUID } from 'node:crypto';
import { NumberLiteral } from './scalar.ts';

/** What may be a number that a JavaScript number cannot hold, whole. */
const CANDIDATE = /-?\d[\d.eE+-]{15,}|-?[\d.]+[eE][+-]?\d{3,}/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BRACKET = /[[\]{}]/g;

/** Begins the strings that stand for such numbers while the text is parsed: no client knows it. */
const NUMBER_MARK = `number ${randomUUID()} `;
/** Begins the keys that an object had before. */
const REPEATED_MARK = `repeated ${randomUUID()} `;

/**
 * Whether an object in `text` has a key twice. It may say so of a text whose strings look like keys; marking them
 * then changes nothing.
 *
 * @param value what `JSON.parse` made of the text: it keeps one of equal keys
 */
export function hasRepeatedKeys(text: string, value: unknown): boolean {
  const keys = countKeysOfText(text);
  return keys > 1 && keys !== countKeys(value);
}

/** Colons behind a quote that is no escaped one: every key has one, and texts that begin with a colon. */
function countKeysOfText(text: string): number {
  let count = 0;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let before = colon - 1;
    while (text.charCodeAt(before) <= 0x20) before -= 1;
    if (text.charAt(before) === '"' && !isEscaped(text, before)) count += 1;
  }
  return count;
}

function countKeys(root: unknown): number {
  if (typeof root !== 'object' || root === null) return 0;
  let count = 0;
  const waiting: object[] = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (!Array.isArray(value)) count += items.length;
    for (const item of items) if (typeof item === 'object' && item !== null) waiting.push(item);
  }
  return count;
}

/** The text to be parsed instead, for {@link unmark}. @throws {SyntaxError} */
export function markText(text: string): string {
  const parts: string[] = [];
  /** The keys so far of each object that is open, innermost last; undefined for an array. */
  const open: (Set<unknown> | undefined)[] = [];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const outside = text.slice(at, quote === -1 ? undefined : quote);
    for (const [bracket] of outside.matchAll(BRACKET)) {
      if (bracket === '{' || bracket === '[') open.push(bracket === '{' ? new Set() : undefined);
      else open.pop();
    }
    parts.push(outside.replace(CANDIDATE, markNumber));
    if (quote === -1) break;
    at = endOfString(text, quote);
    const literal = text.slice(quote, at);
    const keys = open.at(-1);
    parts.push(keys !== undefined && isKey(text, at) ? markKey(literal, keys) : literal);
  }
  return parts.join('');
}

function markNumber(number: string): string {
  // What is no number stays as it is, for the parser to refuse.
  return NUMBER.test(number) && String(Number(number)) !== number ? `"${NUMBER_MARK}${number}"` : number;
}

function markKey(literal: string, keys: Set<unknown>): string {
  const key: unknown = JSON.parse(literal);
  if (!keys.has(key)) {
    keys.add(key);
    return literal;
  }
  const marked = `${REPEATED_MARK}${keys.size}`;
  keys.add(marked);
  return JSON.stringify(marked);
}

/** Whether a colon follows. */
function isKey(text: string, at: number): boolean {
  let next = at;
  while (text.charCodeAt(next) <= 0x20) next += 1;
  return text.charAt(next) === ':';
}

/** Behind the closing quote of the string that begins at `start`; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    if (!isEscaped(text, quote)) return quote + 1;
  }
  return text.length;
}

/** Whether an odd number of backslashes stands before. */
function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text.charAt(quote - 1 - slashes) === '\\') slashes += 1;
  return slashes % 2 === 1;
}

/** @param root parsed from a marked text; changed in place. @throws {SyntaxError} */
export function unmark(root: unknown): unknown {
  const top: Record<string, unknown> = { root };
  const waiting: object[] = [top];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    for (const [key, item] of Object.entries(value)) {
      if (key.startsWith(NUMBER_MARK)) throw new SyntaxError('a number is no key');
      if (key.startsWith(REPEATED_MARK)) Reflect.deleteProperty(value, key);
      else if (typeof item === 'object' && item !== null) waiting.push(item);
      else if (typeof item === 'string' && item.startsWith(NUMBER_MARK))
        replace(value, key, new NumberLiteral(item.slice(NUMBER_MARK.length)));
    }
  }
  return top.root;
}

/** Not by assignment: a key may be called `__proto__`. */
function replace(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
