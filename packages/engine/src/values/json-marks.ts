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
  let count = 0;
  forEachContainer(root, (value) => {
    if (!Array.isArray(value)) count += Object.keys(value).length;
  });
  return count;
}

/** Every object and array, `root` first; what `visit` puts into one is gone through too. */
function forEachContainer(root: unknown, visit: (value: object) => void): void {
  const waiting: object[] = [];
  const add = (item: unknown) => {
    if (typeof item === 'object' && item !== null) waiting.push(item);
  };
  add(root);
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    visit(value);
    // By hand: lists of keys with their values cost more than the parser itself.
    if (Array.isArray(value)) for (let index = 0; index < value.length; index += 1) add(value[index]);
    else for (const key of Object.keys(value)) add(Reflect.get(value, key));
  }
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
  if (isMarkedNumber(root)) return toNumber(root);
  forEachContainer(root, (value) => {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        const item: unknown = value[index];
        if (isMarkedNumber(item)) value[index] = toNumber(item);
      }
      return;
    }
    for (const key of Object.keys(value)) {
      if (key.startsWith(NUMBER_MARK)) throw new SyntaxError('a number is no key');
      const item: unknown = Reflect.get(value, key);
      if (key.startsWith(REPEATED_MARK)) Reflect.deleteProperty(value, key);
      else if (isMarkedNumber(item)) replace(value, key, toNumber(item));
    }
  });
  return root;
}

function isMarkedNumber(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(NUMBER_MARK);
}

const toNumber = (marked: string) => new NumberLiteral(marked.slice(NUMBER_MARK.length));

/** Not by assignment: a key may be called `__proto__`. */
function replace(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
