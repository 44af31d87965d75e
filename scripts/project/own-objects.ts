import { fingerprint, type Notes } from './applied-state.ts';
import type { Metadata } from './metadata.ts';
import { isWithin, objectsOf } from './metadata-objects.ts';
import type { Migration } from './migrations.ts';

/** Whose files these are, on whichever machine: the first migration of a project stays the first. */
export function ownerOf([first]: readonly Migration[]): string {
  return first === undefined ? '' : `${first.database}/${first.name}`;
}

/**
 * Tells which of Hasura's objects the project's files may change and drop: those that they have put there and that
 * are still as they were put.
 *
 * @returns whether an object, by its path, is somebody else's, or has been changed by somebody else since
 */
export function foreignTo(owner: string, there: Metadata, { metadata }: Notes): (path: string) => boolean {
  const noted = metadata[owner] ?? {};
  const objects = [...objectsOf(there)];
  const isForeign = ([path, value]: readonly [string, unknown]): boolean =>
    noted[path] !== fingerprint(value);
  return (path) => objects.filter(([one]) => isWithin(one, path)).some(isForeign);
}

/**
 * What to note of metadata that have just been set.
 *
 * @param kept the paths of objects that stayed as Hasura had them
 */
export function notesOf(there: Metadata, ours: Metadata, kept: readonly string[]): Record<string, string> {
  const mine = objectsOf(ours);
  const put = [...objectsOf(there)].filter(
    ([path]) => mine.has(path) && !kept.some((one) => isWithin(path, one)),
  );
  return Object.fromEntries(put.map(([path, value]) => [path, fingerprint(value)]));
}
