import type { Random } from '@latchkey/tests/support/random';

type Json = unknown;
/** Stands for JSON that JavaScript's own writer would not write. */
const RAW = '\u{E000}raw:';

const nested = (open: string, close: string, levels: number): string =>
  `${RAW}${open.repeat(levels)}0${close.repeat(levels)}`;

/** Values that some layer between here and the disk may stumble over. */
const HOSTILE: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  -0.5,
  2 ** 53 + 2,
  Number.MAX_VALUE,
  8.64e15 + 1,
  `${RAW}1e999`,
  `${RAW}123456789012345678901234567890`,
  `${RAW}-0`,
  '',
  ' ',
  '\0',
  'nul \0 inside',
  '\uD800',
  'half \uDC00 pair',
  '\uFEFF',
  '\u202Eright to left',
  '😀'.repeat(300),
  'x'.repeat(256),
  'x'.repeat(3_000),
  'x'.repeat(200_000),
  "'; drop table users; --",
  '{{user.id}}',
  '$1',
  '\\',
  '\\u0000',
  '2026-01-01T00:00:00Z',
  'infinity',
  'NaN',
  '../../../etc/passwd',
  '__proto__',
  'constructor',
  [],
  {},
  [null],
  [[], {}, [[]]],
  { id: null },
  { 'a\0b': 'nul in a key', '\uD800': 'half a pair in a key', '': 'no key' },
  `${RAW}{"__proto__":{"id":"polluted"},"constructor":{"prototype":{"polluted":true}}}`,
  `${RAW}{"id":"first","id":"second"}`,
  Array.from({ length: 1_000 }, (_, index) => index),
  nested('[', ']', 60),
  nested('[', ']', 100),
  nested('{"a":', '}', 100),
  nested('[', ']', 20_000),
];
const KEYS = ['__proto__', 'constructor', 'toString', 'id', '', 'a\0b', '\uD800', 'x'.repeat(1_000)];

/** A payload with a few of its parts gone, of another kind, hostile, doubled or under another name. */
export function mutate(payload: Json, random: Random): string {
  const copy: Json = structuredClone(payload);
  const root = { body: copy };
  for (let count = random.below(4); count >= 0; count -= 1) change(root, random);
  const text = JSON.stringify(root.body) ?? 'null';
  const raw = text.replaceAll(new RegExp(`"${RAW}((?:[^"\\\\]|\\\\.)*)"`, 'gu'), (quoted) =>
    String(JSON.parse(quoted)).slice(RAW.length),
  );
  if (random.chance(0.04)) return raw.slice(0, random.below(raw.length));
  if (random.chance(0.02)) return `\uFEFF${raw}`;
  return random.chance(0.02) ? `${raw}${raw}` : raw;
}

/** One step, at a place anywhere in the tree. */
function change(root: Json, random: Random): void {
  const places: { holder: Record<string, Json>; key: string }[] = [];
  collect(root, places);
  const { holder, key } = random.pick(places);
  const dice = random.below(10);
  if (dice < 3 && key !== 'body') {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  } else if (dice < 8 || Array.isArray(holder)) holder[key] = structuredClone(random.pick(HOSTILE));
  else if (dice < 9) {
    const other = random.pick(places);
    holder[key] = structuredClone(other.holder[other.key] ?? null);
  } else {
    // Assigning to __proto__ would not make a key of that name.
    Object.defineProperty(holder, random.pick(KEYS), {
      value: structuredClone(holder[key]),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}

function collect(value: Json, places: { holder: Record<string, Json>; key: string }[]): void {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Record<string, Json>;
  for (const key of Object.keys(holder)) {
    places.push({ holder, key });
    collect(holder[key], places);
  }
}
