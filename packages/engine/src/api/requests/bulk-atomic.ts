/** `bulk_atomic`: commands whose results are checked together, once all have been applied. */

import type { CommandContext } from '#api/command.ts';
import type { Draft } from '#api/draft.ts';
import { EngineError } from '#base/errors.ts';
import type { Metadata } from '#metadata/types.ts';

/** Hasura takes these alone, because they need no look at the database. */
const TAKEN =
  /^(pg|postgres)_(create_(object|array)_relationship|drop_relationship|delete_remote_relationship|(un)?track_(native_query|logical_model|stored_procedure))$/;

/** @throws {EngineError} `unexpected` for a command that cannot be part of it */
export function checkAtomic(type: unknown): void {
  if (typeof type === 'string' && TAKEN.test(type)) return;
  throw new EngineError('unexpected', 'Bulk atomic does not support this command', { status: 500 });
}

/** Nothing to check at once is a mistake. */
export function emptyAtomic(): EngineError {
  return new EngineError('unexpected', 'Bulk atomic needs at least one command');
}

/**
 * Runs all, then puts what they made of the metadata in place.
 * @throws {EngineError} `bad-request` where that leaves objects inconsistent; the draft is then unchanged
 */
export async function runAtomic(
  runs: readonly ((context: CommandContext) => Promise<unknown>)[],
  context: CommandContext,
): Promise<void> {
  const draft = collect(context.draft);
  for (const run of runs) await run({ ...context, draft });
  try {
    await context.draft.change(draft.state.metadata);
  } catch (error) {
    if (!(error instanceof EngineError) || !Array.isArray(error.internal)) throw error;
    throw new EngineError('bad-request', 'Schema inconsistency', { internal: error.internal, cause: error });
  }
}

/** A draft that accepts every change unchecked. */
function collect(draft: Draft): Draft {
  let metadata: Metadata = draft.state.metadata;
  return {
    get state() {
      return { ...draft.state, metadata };
    },
    get modified() {
      return draft.modified;
    },
    get catalogs() {
      return draft.catalogs;
    },
    async change(next) {
      metadata = next;
    },
    async replace(next) {
      metadata = next;
      return [];
    },
    invalidate: (sources) => draft.invalidate(sources),
    learn: (source, catalog) => draft.learn(source, catalog),
    catalog: (source) => draft.catalog(source),
  };
}
