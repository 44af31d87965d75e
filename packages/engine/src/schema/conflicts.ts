/** No two root fields may share a name: then the metadata as a whole is refused. */

import { EngineError } from '#base/errors.ts';
import type { OutputField } from '#ir/schema.ts';
import { displayName } from '#postgres/catalog.ts';

/** @throws {EngineError} `unexpected`, naming what defines the field twice */
export function assertNoConflicts(root: string, fields: readonly OutputField[]): void {
  const origins = new Map<string, Set<string>>();
  const repeated = new Set<string>();
  for (const field of fields) {
    const known = origins.get(field.name);
    if (known !== undefined) repeated.add(field.name);
    origins.set(field.name, (known ?? new Set()).add(originOf(field)));
  }
  if (repeated.size === 0) return;
  const described = [...repeated]
    .reverse()
    .map((name) => `'${name}' defined in [${[...(origins.get(name) ?? [])].sort(actionsFirst).join(', ')}]`);
  const which =
    described.length === 1 ? `for field ${described.join('')}` : `for fields: [${described.join(', ')}]`;
  throw new EngineError(
    'unexpected',
    `Encountered conflicting definitions in the selection set for '${root}' ${which}. Fields must not be defined more than once across all sources.`,
  );
}

function actionsFirst(a: string, b: string): number {
  const byKind = Number(b.startsWith('action ')) - Number(a.startsWith('action '));
  return byKind !== 0 ? byKind : b.length - a.length || (a < b ? -1 : 1);
}

function originOf({ name, meaning }: OutputField): string {
  switch (meaning.kind) {
    case 'select':
    case 'select-by-pk':
    case 'select-aggregate':
    case 'select-stream': {
      const { table } = meaning.view;
      return `table ${displayName(table.name)} in source ${table.source}`;
    }
    case 'mutation':
      if ('view' in meaning.mutation) {
        const { table } = meaning.mutation.view;
        return `table ${displayName(table.name)} in source ${table.source}`;
      }
      return name;
    case 'function':
      return `function ${displayName(meaning.function.function.name)} in source ${meaning.function.source}`;
    case 'namespace':
      return `namespace ${name}`;
    default:
      return `action ${name}`;
  }
}
