import { z } from 'zod';
import type { Metadata } from './metadata.ts';
import { EngineRefusal, type MetadataApi } from './metadata-api.ts';

const INCONSISTENCY = z.object({
  type: z.string().optional(),
  name: z.string().optional(),
  reason: z.string(),
  message: z.unknown().optional(),
});
type Inconsistency = z.infer<typeof INCONSISTENCY>;

const REPLACED = z.object({ inconsistent_objects: z.array(INCONSISTENCY).default([]) });
const REFUSED = z.array(INCONSISTENCY);
const EXPORTED = z.object({
  metadata: z.looseObject({ version: z.literal(3).default(3), sources: z.array(z.unknown()).default([]) }),
});
const NAMED_SOURCE = z.object({ name: z.string() });

/** The metadata that Hasura has. */
export async function exportMetadata(api: MetadataApi): Promise<Metadata> {
  return EXPORTED.parse(await api.metadata('export_metadata', {}, 2)).metadata;
}

/** The names of the databases in these metadata. */
export function sourcesOf({ sources }: Metadata): Set<string> {
  return new Set(sources.flatMap((source) => NAMED_SOURCE.safeParse(source).data?.name ?? []));
}

/** The databases that Hasura cannot use, by name, with its reason. */
export async function unusableSources(api: MetadataApi): Promise<Map<string, string>> {
  const { inconsistent_objects } = REPLACED.parse(await api.metadata('get_inconsistent_metadata', {}));
  return new Map(
    inconsistent_objects
      .filter(({ type }) => type === 'source')
      .map((object) => [(object.name ?? '').replace(/^source /, ''), describeInconsistency(object)]),
  );
}

/**
 * Sets the metadata as a whole.
 *
 * @returns what does not fit, one line each; unless that is allowed, Hasura then keeps the metadata it had
 */
export async function setMetadata(api: MetadataApi, metadata: Metadata, allow: boolean): Promise<string[]> {
  try {
    const args = { allow_inconsistent_metadata: allow, metadata };
    const answer = await api.metadata('replace_metadata', args, 2);
    return REPLACED.parse(answer).inconsistent_objects.map(describeInconsistency);
  } catch (cause) {
    if (!(cause instanceof EngineRefusal)) throw cause;
    const refused = REFUSED.safeParse(cause.internal);
    if (refused.success) return refused.data.map(describeInconsistency);
    throw new Error(`Hasura refuses the metadata (${cause.code} at ${cause.path}): ${cause.message}`, {
      cause,
    });
  }
}

/** The variables that Hasura misses, in the words of its handlers' URLs and of their headers. */
export function unsetVariables(inconsistent: readonly string[]): string[] {
  const names = inconsistent.flatMap((line) => {
    const [, listed, quoted] =
      /environment variables not found: ([A-Z0-9_, ]+)|environment variable '([^']+)' not set/i.exec(line) ??
      [];
    return listed?.split(/,\s*/) ?? (quoted === undefined ? [] : [quoted]);
  });
  return [...new Set(names)].sort();
}

function describeInconsistency({ type = 'object', name, reason, message }: Inconsistency): string {
  if (message === undefined || message === null) return `${name ?? type}: ${reason}`;
  return `${name ?? type}: ${reason} (${typeof message === 'string' ? message : JSON.stringify(message)})`;
}
