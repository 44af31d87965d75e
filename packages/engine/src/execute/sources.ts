/** The databases that plans run on. */
import type { Pool } from 'pg';
import type { SqlOptions } from '#sql/writer.ts';

export type Isolation = 'read-committed' | 'repeatable-read' | 'serializable';

export interface ExecutionSource {
  readonly pool: Pool;
  readonly isolation: Isolation;
  readonly options: SqlOptions;
}

/** By name. */
export type ExecutionSources = ReadonlyMap<string, ExecutionSource>;

export function sourceOf(sources: ExecutionSources, name: string): ExecutionSource {
  const source = sources.get(name);
  if (source === undefined) throw new Error(`source ${name} is planned for but not connected`);
  return source;
}
