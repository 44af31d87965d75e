/** What Hasura says of a text that is no JSON. Only for texts that are known to be none. */

/** What it says of bytes that are no UTF-8, and of half of a surrogate pair. */
export const NO_UTF8 = 'Cannot decode input: Data.Text.Internal.Encoding.decodeUtf8: Invalid UTF-8 stream';

/** How much of the text a message shows. */
const SHOWN = 30;

const SPACE = /[ \n\r\t]*/y;
const LITERAL = /null|true|false/y;
const NUMBER = /(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

type Step = 'value' | 'first item' | 'after item' | 'first key' | 'key' | 'colon' | 'after pair';

/** What is expected at each step, where it is not a value. */
const EXPECTED: Readonly<Record<Step, string>> = {
  value: 'JSON value',
  'first item': 'JSON value or ]',
  'after item': ', or ]',
  'first key': 'record key literal or }',
  key: 'key literal',
  colon: ':',
  'after pair': ', or }',
};

/** The first thing that is wrong with `text`, found without going down into what it nests. */
export function describeJsonError(text: string): string {
  /** What follows the current value, innermost last. */
  const open: ('after item' | 'after pair')[] = [];
  let step: Step | undefined = 'value';
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  const takeString = (): string | undefined => {
    const start = at;
    for (at += 1; at < text.length && text[at] !== '"'; at += text[at] === '\\' ? 2 : 1)
      if (text.charCodeAt(at) < 0x20) return 'Unexpected control character while parsing string literal';
    if (at >= text.length) return 'Unexpected end-of-input while parsing string literal';
    at += 1;
    return isWellFormed(text.slice(start, at)) ? undefined : NO_UTF8;
  };
  while (step !== undefined) {
    take(SPACE);
    const character: string | undefined = text[at];
    const unexpected = `Unexpected ${character === undefined ? 'end-of-input' : show(text.slice(at))}, expecting ${EXPECTED[step]}`;
    if (character === undefined) return unexpected;
    if (step === 'after item' || step === 'after pair') {
      const close = step === 'after item' ? ']' : '}';
      if (character !== ',' && character !== close) return unexpected;
      at += 1;
      if (character === ',') step = step === 'after item' ? 'value' : 'key';
      else {
        open.pop();
        step = open.at(-1);
      }
      continue;
    }
    if (step === 'colon') {
      if (character !== ':') return unexpected;
      at += 1;
      step = 'value';
      continue;
    }
    if ((step === 'first item' && character === ']') || (step === 'first key' && character === '}')) {
      at += 1;
      open.pop();
      step = open.at(-1);
      continue;
    }
    if (step === 'first key' || step === 'key') {
      if (character !== '"') return unexpected;
      const problem = takeString();
      if (problem !== undefined) return problem;
      step = 'colon';
      continue;
    }
    if (character === '[' || character === '{') {
      at += 1;
      open.push(character === '[' ? 'after item' : 'after pair');
      step = character === '[' ? 'first item' : 'first key';
      continue;
    }
    if (character === '"') {
      const problem = takeString();
      if (problem !== undefined) return problem;
    } else if (character === '-' || /\d/.test(character)) {
      if (character === '-') at += 1;
      const problem = take(NUMBER) === undefined ? numberProblem(text, at) : numberRest(text, at);
      if (problem !== undefined) return problem;
    } else if (take(LITERAL) === undefined) {
      return `Unexpected ${show(text.slice(at))}, expecting JSON value`;
    }
    step = open.at(-1);
  }
  return 'Trailing garbage';
}

/** Whether a string's escapes make whole characters. */
function isWellFormed(literal: string): boolean {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value !== 'string' || value.isWellFormed();
  } catch {
    return true;
  }
}

/** Where a number should begin. */
function numberProblem(text: string, at: number): string {
  const byte = Buffer.from(text.slice(at, at + 1))[0];
  return byte === undefined
    ? 'Unexpected end-of-input while parsing number literal'
    : `Unexpected ${byte} while parsing number literal`;
}

/** What follows a number directly and makes it none. */
function numberRest(text: string, at: number): string | undefined {
  const next = text[at] ?? '';
  if (text[at - 1] === '0' && /\d/.test(next)) return 'Number literal with leading zero';
  if (next === '.') return numberProblem(text, at + 1);
  if (next !== 'e' && next !== 'E') return undefined;
  const after = at + (/[+-]/.test(text[at + 1] ?? '') ? 2 : 1);
  const character = text[after];
  return character === undefined
    ? 'Unexpected end-of-input while parsing number literal'
    : `Unexpected '${character}' while parsing number literal`;
}

const CONTROLS =
  'NUL SOH STX ETX EOT ENQ ACK a b t n v f r SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );

/** The beginning of a text as Haskell writes a string of bytes. */
function show(text: string): string {
  let shown = '';
  for (const byte of Buffer.from(text.slice(0, SHOWN)).subarray(0, SHOWN)) {
    const character = String.fromCharCode(byte);
    // A digit right after a number, or an H after \SO, would be read as part of it.
    if (/\\\d+$/.test(shown) && /\d/.test(character)) shown += '\\&';
    if (shown.endsWith('\\SO') && character === 'H') shown += '\\&';
    const control = CONTROLS[byte];
    if (character === '"' || character === '\\') shown += `\\${character}`;
    else if (control !== undefined) shown += `\\${control}`;
    else if (byte === 127) shown += '\\DEL';
    else shown += byte < 127 ? character : `\\${byte}`;
  }
  return `"${shown}"`;
}
