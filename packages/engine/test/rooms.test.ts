import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const rooms = [...read('README.md').matchAll(/^\| `(\w+)\/` /gm)].map((match) => match[1] ?? '');

test('README.md has every room of src/', () => {
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(rooms.toSorted()).toEqual(folders.map(({ name }) => name).sort());
});

test('biome.jsonc lets each room know rooms above it in README.md alone', () => {
  const entries = [
    ...read('biome.jsonc').matchAll(/"src\/(\w+)\/\*\*"[^}]*?"!#(?:\{([\w,]+)\}|(\w+))\/\*\*"/g),
  ];
  expect(entries.map(([, room]) => room)).toEqual(rooms);
  for (const [index, [, room, several, one]] of entries.entries()) {
    const known = (several ?? one ?? '').split(',').filter((name) => name !== room);
    expect(
      known.filter((name) => !rooms.slice(0, index).includes(name)),
      room,
    ).toEqual([]);
  }
});
