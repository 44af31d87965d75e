import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { MetadataApi } from './metadata-api.ts';

/** By database, by version: whether a run of it began and never came to a known end. */
export type Applied = Record<string, Record<string, boolean>>;

/** What Latchkey notes beside the hasura CLI's state. The CLI may drop it: then nothing is known of it. */
const NOTES = z.object({
  /** By project and object, the metadata as they were when they had been set from that project's files. */
  metadata: z.record(z.string(), z.record(z.string(), z.string())).default({}),
  /** By database and version, the SQL that was run. */
  migrations: z.record(z.string(), z.record(z.string(), z.string())).default({}),
});
export type Notes = z.infer<typeof NOTES>;

/** The hasura CLI's state in Hasura's catalogue; what else is in there is kept as it is. */
const STATE = z.object({
  cli_state: z
    .looseObject({
      migrations: z.record(z.string(), z.record(z.string(), z.boolean())).optional(),
      latchkey: NOTES.optional().catch(undefined),
    })
    .nullish(),
});
type State = NonNullable<z.infer<typeof STATE>['cli_state']>;

/** What Hasura's catalogue says of earlier runs, of ours and of the hasura CLI's. */
export async function readApplied(api: MetadataApi): Promise<{ applied: Applied; notes: Notes }> {
  const { migrations = {}, latchkey = NOTES.parse({}) } = await readState(api);
  return { applied: migrations, notes: latchkey };
}

/** @param dirty undefined forgets the version */
export async function mark(
  api: MetadataApi,
  database: string,
  version: string,
  dirty: boolean | undefined,
): Promise<void> {
  const state = await readState(api);
  const versions = { ...state.migrations?.[database] };
  if (dirty === undefined) delete versions[version];
  else versions[version] = dirty;
  await writeState(api, { ...state, migrations: { ...state.migrations, [database]: versions } });
}

/** Notes what was done, for the next run to compare with. */
export async function note(api: MetadataApi, change: (notes: Notes) => Notes): Promise<void> {
  const state = await readState(api);
  await writeState(api, { ...state, latchkey: change(state.latchkey ?? NOTES.parse({})) });
}

/** The same for the same content, whatever the order of keys. */
export function fingerprint(content: unknown): string {
  const text = typeof content === 'string' ? content : (JSON.stringify(sorted(content)) ?? '');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

async function readState(api: MetadataApi): Promise<State> {
  return STATE.parse(await api.metadata('get_catalog_state', {})).cli_state ?? {};
}

async function writeState(api: MetadataApi, state: State): Promise<void> {
  await api.metadata('set_catalog_state', {
    type: 'cli',
    state: {
      settings: { migration_mode: 'true' },
      ...state,
      // Without it the CLI looks for the state of its first version before it believes this one.
      isStateCopyCompleted: true,
    },
  });
}
