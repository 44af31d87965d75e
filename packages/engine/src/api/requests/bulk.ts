/** Several commands in one request: one after the other, going on after failures, all or nothing, or at once. */

import type { Api } from '#api/command.ts';
import { type CommandContext, SUCCESS } from '#api/command.ts';
import { modifiesSchema } from '#api/commands/run-sql.ts';
import { apiErrorBody, EngineError, jsonPath, prefixPath } from '#base/errors.ts';
import { isPlainObject, jsonType } from '#values/json.ts';
import { checkAtomic, emptyAtomic, runAtomic } from './bulk-atomic.ts';

export type Run = (context: CommandContext) => Promise<unknown>;

const TYPES = ['bulk', 'concurrent_bulk', 'bulk_keep_going', 'bulk_atomic'] as const;
type BulkType = (typeof TYPES)[number];
const TYPES_OF: Readonly<Record<Api, readonly BulkType[]>> = {
  'v1/metadata': ['bulk', 'bulk_keep_going', 'bulk_atomic'],
  'v2/query': ['bulk', 'concurrent_bulk'],
  'v1/query': ['bulk'],
};

/** The way of running several commands that goes by this name, where the API has it. */
export function bulkType(api: Api, type: unknown): BulkType | undefined {
  return TYPES_OF[api].find((name) => name === type);
}

/**
 * @param read reads one of the commands
 * @throws {EngineError} `parse-failed`
 */
export function readBulk(
  type: BulkType,
  args: unknown,
  at: readonly PropertyKey[],
  read: (item: unknown, at: readonly PropertyKey[]) => Run,
): Run {
  if (!Array.isArray(args)) {
    const message = `parsing [] failed, expected Array, but encountered ${jsonType(args)}`;
    throw new EngineError('parse-failed', message, { path: jsonPath(at) });
  }
  const items: readonly unknown[] = args;
  const bare = items.map((item, index) => read(item, [...at, index]));
  const runs = bare.map((run, index) => withPrefix(`[${index}]`, run));
  switch (type) {
    case 'bulk':
      return inOrder(runs);
    case 'bulk_keep_going':
      return inOrder(bare.map(keepGoing));
    case 'bulk_atomic':
      return async (context) => {
        if (items.length === 0) throw emptyAtomic();
        for (const item of items) checkAtomic(isPlainObject(item) ? item.type : undefined);
        await runAtomic(bare, context);
        return SUCCESS;
      };
    case 'concurrent_bulk':
      return atOnce(items, bare);
  }
}

function inOrder(runs: readonly Run[]): Run {
  return async (context) => {
    const results: unknown[] = [];
    for (const run of runs) results.push(await run(context));
    return results;
  };
}

/** A failure as a result, its path as if the command had been sent alone. */
function keepGoing(run: Run): Run {
  return (context) =>
    run(context).catch((error: unknown) => {
      if (!(error instanceof EngineError)) throw error;
      return apiErrorBody(error, true);
    });
}

/** None may change what is tracked: the metadata is not checked afterwards. */
function atOnce(items: readonly unknown[], runs: readonly Run[]): Run {
  return async (context) => {
    if (items.some(changesTracked)) {
      throw new EngineError('unexpected', 'Only read-only queries are allowed in a concurrent_bulk', {
        status: 500,
      });
    }
    const settled = await Promise.allSettled(runs.map((run) => run(context)));
    return settled.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  };
}

function changesTracked(item: unknown): boolean {
  if (!isPlainObject(item)) return false;
  const { type, args } = item;
  if (Array.isArray(args)) return args.some(changesTracked);
  return (type === 'run_sql' || type === 'pg_run_sql') && modifiesSchema(args);
}

/** Errors of `run` seen from further out. */
export function withPrefix(prefix: string, run: Run): Run {
  return async (context) => {
    try {
      return await run(context);
    } catch (error) {
      // A refused version is about the request, not about its arguments.
      throw error instanceof EngineError && error.code !== 'conflict' ? prefixPath(error, prefix) : error;
    }
  };
}
