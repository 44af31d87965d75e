import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

/**
 * The rooms of the house, most specific first, and the rooms each may import from besides itself.
 * Imports run one way: what a room does not name here, it must not know. Packages hold their own (their biome.jsonc).
 */
const rooms: { room: string; mayImport: string[] }[] = [
  { room: 'services/identity/core', mayImport: [] },
  { room: 'services/identity/hasura', mayImport: ['services/identity/core'] },
  // Siblings never import one another; each is a room of its own (see `roomOf`).
  {
    room: 'services/identity/providers/*',
    mayImport: ['services/identity/core', 'services/identity/providers'],
  },
  {
    room: 'services/identity/providers',
    mayImport: ['services/identity/core', 'services/identity/providers/*'],
  },
  {
    room: 'services/identity/auth',
    mayImport: ['services/identity/core', 'services/identity/hasura', 'services/identity/providers'],
  },
  {
    room: 'services/identity/sync',
    mayImport: ['services/identity/core', 'services/identity/hasura', 'services/identity/providers'],
  },
  {
    room: 'services/identity/actions',
    mayImport: [
      'services/identity/core',
      'services/identity/hasura',
      'services/identity/providers',
      'services/identity/sync',
    ],
  },
  {
    room: 'services/identity/http',
    mayImport: [
      'services/identity/core',
      'services/identity/hasura',
      'services/identity/providers',
      'services/identity/auth',
      'services/identity/sync',
      'services/identity/actions',
    ],
  },
  { room: 'services/cognito-triggers', mayImport: ['services/identity/core'] },
  { room: 'scripts', mayImport: ['services/*'] },
];

/** Everything a file names in an import, an export … from or a dynamic import, as written. */
const importSpecifier =
  /(?:^|[\s;])(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|(?:^|[^.\w])import\s*\(?\s*['"]([^'"]+)['"]/g;

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(importSpecifier)].map((match) => match[1] ?? match[2] ?? '');
}

function matches(pattern: string, file: string): boolean {
  if (!pattern.endsWith('/*')) return file.startsWith(`${pattern}/`);
  const rest = file.startsWith(pattern.slice(0, -1)) ? file.slice(pattern.length - 1) : '';
  return rest.includes('/');
}

function roomOf(file: string): { name: string; mayImport: string[] } | undefined {
  const found = rooms.find(({ room }) => matches(room, file));
  if (!found) return undefined;
  const name = found.room.endsWith('/*')
    ? file.split('/').slice(0, found.room.split('/').length).join('/')
    : found.room;
  return { name, mayImport: found.mayImport };
}

/** What is wrong with `file` importing `target` (both relative to the project's root), or undefined. */
function violation(file: string, target: string): string | undefined {
  const room = roomOf(file);
  if (!room || target.startsWith(`${room.name}/`)) return undefined;
  const targetRoom = roomOf(target)?.name ?? dirname(target);
  const allowed = room.mayImport.some((pattern) =>
    pattern === 'services/identity/providers' ? targetRoom === pattern : matches(pattern, target),
  );
  return allowed ? undefined : `${file} imports ${target}: ${room.name} may not know ${targetRoom}`;
}

const sources = globSync(['services/**/*.ts', 'scripts/**/*.ts'], {
  cwd: root,
}).filter((file) => !file.includes('node_modules'));

describe('imports run one way', () => {
  test('the rule itself tells right from wrong', () => {
    expect(violation('services/identity/http/app.ts', 'services/identity/sync/writer.ts')).toBeUndefined();
    expect(
      violation('services/identity/providers/clerk/index.ts', 'services/identity/core/errors.ts'),
    ).toBeUndefined();
    expect(
      violation('services/identity/providers/registry.ts', 'services/identity/providers/clerk/index.ts'),
    ).toBeUndefined();
    expect(violation('services/identity/core/errors.ts', 'services/identity/sync/writer.ts')).toBeDefined();
    expect(violation('services/identity/sync/writer.ts', 'services/identity/http/app.ts')).toBeDefined();
    expect(
      violation('services/identity/sync/writer.ts', 'services/identity/providers/clerk/records.ts'),
    ).toBeDefined();
    expect(
      violation('services/identity/providers/clerk/a.ts', 'services/identity/providers/cognito/b.ts'),
    ).toBeDefined();
    expect(violation('services/identity/http/app.ts', 'packages/engine/src/engine.ts')).toBeDefined();
    expect(violation('scripts/start.ts', 'packages/engine/src/engine.ts')).toBeDefined();
  });

  test('there are sources to look at, and every room is found by its name', () => {
    expect(sources.length).toBeGreaterThan(20);
    for (const file of sources) expect(roomOf(file), `${file} stands in no room`).toBeDefined();
  });

  test.each(sources)('%s', (file) => {
    const wrong = importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => violation(file, relative(root, join(root, posix.dirname(file), specifier))))
      .filter((message) => message !== undefined);
    expect(wrong).toEqual([]);
  });
});
