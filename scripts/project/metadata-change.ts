import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import { canonical } from './canonical.ts';
import type { Metadata } from './metadata.ts';
import { compareMetadata, mergeMetadata } from './metadata-objects.ts';

/**
 * What to do about metadata of Hasura's that the project's files do not have:
 * - `refuse`: do nothing and say so
 * - `replace`: the files are all that counts
 * - `merge`: what is there stays as it is, what the files have besides is added
 */
export type OnForeign = 'refuse' | 'replace' | 'merge';

/** What setting a project's metadata would do to those that Hasura has. */
export interface MetadataChange {
  /** What would be set. */
  readonly target: Metadata;
  /** Somebody else's objects that would be gone or another thing afterwards: `drop …`, `change …`. */
  readonly losses: readonly string[];
  /** Objects that both have, that differ, and that stay as Hasura has them. */
  readonly kept: readonly string[];
  /** Those of them that make this project another one than its files say. */
  readonly conflicts: readonly string[];
}

/** How a database is reached and named is its Hasura's business where the rest is merged into it. */
const OF_THE_SOURCE = /^source [^:]+: (configuration|customization|health_check)$/;

/** @param isForeign whether an object, by its path, is somebody else's */
export function planChange(
  there: Metadata,
  ours: Metadata,
  onForeign: OnForeign,
  isForeign: (path: string) => boolean,
): MetadataChange {
  const { missing, changed } = compareMetadata(there, ours);
  const [dropped, altered] = [missing.filter(isForeign), changed.filter(isForeign)];
  if (onForeign === 'merge') {
    const target = mergeMetadata(there, ours, isForeign);
    return {
      target,
      losses: [],
      kept: altered,
      conflicts: altered.filter((path) => !OF_THE_SOURCE.test(path)),
    };
  }
  const losses = [...dropped.map((path) => `drop ${path}`), ...altered.map((path) => `change ${path}`)];
  return { target: ours, losses, kept: [], conflicts: [] };
}

/** Whether nobody has put anything there yet: databases at most, with nothing tracked in them. */
export function isBlank({ version: _, sources, ...others }: Metadata): boolean {
  const holds = (value: unknown): boolean => canonical(value) !== undefined;
  if (Object.values(others).some(holds)) return false;
  return sources.every((source) => {
    const { tables, functions, native_queries, logical_models } = Object(source);
    return ![tables, functions, native_queries, logical_models].some(holds);
  });
}

/** The difference as `diff -u` tells it, of YAML with its keys in one order; empty where there is none. */
export function unifiedDiff(there: Metadata, target: Metadata): string {
  const [before, after] = [there, target].map((metadata) => stringify(canonical(metadata), { lineWidth: 0 }));
  if (before === after || before === undefined || after === undefined) return '';
  return createTwoFilesPatch('Hasura', 'this project', before, after, '', '', { context: 3 })
    .split('\n')
    .filter((line) => !/^=+$/.test(line))
    .join('\n')
    .trimEnd();
}

/** As many of these as one reads, and how many more there are. */
export function listSome(items: readonly string[], most = 10): string {
  const rest = items.length - most;
  return [
    ...items.slice(0, most).map((item) => `  ${item}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join('\n');
}
