/** `/v1/metadata`, `/v2/query` and `/v1/query`: from a request body to commands, alone or in bulk. */
import { z } from 'zod';
import { ROW_COMMANDS } from '../core.ts';
import { EngineError, jsonPath, prefixPath } from '../errors.ts';
import { isPlainObject } from '../metadata/kit.ts';
import { jsonType } from '../metadata/parse.ts';
import { conflict } from '../storage/metadata-store.ts';
import type { Command, CommandContext, Commands } from './command.ts';
import { actionCommands } from './commands/actions.ts';
import { collectionCommands } from './commands/collections.ts';
import { functionCommands } from './commands/functions.ts';
import { exportVersioned, metadataCommands } from './commands/metadata.ts';
import { permissionCommands } from './commands/permissions.ts';
import { relationshipCommands } from './commands/relationships.ts';
import { remoteRelationshipCommands } from './commands/remote-relationships.ts';
import { runSqlCommands } from './commands/run-sql.ts';
import { settingCommands } from './commands/settings.ts';
import { sourceCommands, sourceNamingCommands } from './commands/sources.ts';
import { tableCommands } from './commands/tables.ts';
import { transformCommands } from './commands/transforms.ts';
import {
  cronTriggerCommands,
  eventCommands,
  eventTriggerCommands,
  scheduledEventCommands,
} from './commands/triggers.ts';
import { V1_QUERY_TYPES } from './v1-query-types.ts';

/** Named `pg_…` in `/v1/metadata`, bare in `/v1/query`. */
const ofSource: Commands = {
  ...sourceCommands,
  ...tableCommands,
  ...relationshipCommands,
  ...remoteRelationshipCommands,
  ...permissionCommands,
  ...functionCommands,
  ...eventTriggerCommands,
  ...eventCommands,
};
const plain: Commands = {
  ...metadataCommands,
  ...sourceNamingCommands,
  ...actionCommands,
  ...collectionCommands,
  ...settingCommands,
  ...cronTriggerCommands,
  ...scheduledEventCommands,
  ...transformCommands,
};
const OTHER_BACKENDS =
  /^(mssql|bigquery|citus|cockroach|snowflake|mysql|athena|mariadb|oracle|dataconnector)_/;
const REMOTE_SCHEMAS = /remote_schema|remote_relationship/;

export type Api = 'v1/metadata' | 'v2/query' | 'v1/query';

type Run = (context: CommandContext) => Promise<unknown>;

/**
 * @returns what runs the request
 * @throws {EngineError} for a request that cannot be read
 */
export function readRequest(api: Api, body: unknown, isAdmin: boolean): Run {
  const run = isAdmin || !needsAdmin(api, body) ? readOne(api, body, []) : refuseAsReadable(api, body);
  const expected = isPlainObject(body) && api === 'v1/metadata' ? body.resource_version : undefined;
  if (expected === undefined || expected === null) return run;
  const version = z.number().parse(expected);
  return (context) => {
    if (context.draft.state.resourceVersion !== version) throw conflict(version);
    return run(context);
  };
}

/** Who may not is told so only if the request can be read, as by Hasura; what this engine has not counts as such. */
function refuseAsReadable(api: Api, body: unknown): never {
  try {
    readOne(api, body, []);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'not-supported') throw error;
  }
  throw new EngineError('access-denied', 'restricted access : admin only', { status: 400, path: '$.args' });
}

/** Other roles have `/v1/query` for rows, alone or in bulk. */
function needsAdmin(api: Api, body: unknown): boolean {
  if (api !== 'v1/query' || !isPlainObject(body)) return true;
  const { type, args } = body;
  if (isBulk(type)) return Array.isArray(args) && args.some((item) => needsAdmin(api, item));
  return !ROW_COMMANDS.some((name) => name === type);
}

const BULKS = ['bulk', 'concurrent_bulk', 'bulk_atomic', 'bulk_keep_going'];
const isBulk = (type: unknown): type is string => BULKS.some((name) => name === type);

function readOne(api: Api, body: unknown, at: readonly PropertyKey[]): Run {
  if (!isPlainObject(body)) {
    throw new EngineError(
      'parse-failed',
      `parsing Object failed, expected Object, but encountered ${jsonType(body)}`,
      {
        path: jsonPath(at),
      },
    );
  }
  const { type, args, version } = body;
  if (typeof type !== 'string') {
    throw new EngineError('parse-failed', 'key "type" not found', { path: jsonPath(at) });
  }
  if (version !== undefined && version !== 1 && version !== 2) {
    throw new EngineError('parse-failed', `expected 1 or 2, encountered ${String(version)}`, {
      path: jsonPath([...at, 'version']),
    });
  }
  const argsAt = [...at, 'args'];
  const inner = (run: Run): Run => withPrefix('.args', run);
  if (isBulk(type)) return inner(readBulk(api, type, args, argsAt));
  const rowCommand = ROW_COMMANDS.find((name) => name === type);
  if (api !== 'v1/metadata' && rowCommand !== undefined) {
    return inner(async ({ draft, session }) => draft.state.core.rows.run(rowCommand, args, session));
  }
  if (type === 'export_metadata' && version === 2) return inner(async (context) => exportVersioned(context));
  const found = findCommand(api, type);
  if (found === undefined) throw unknownType(api, type, at);
  return inner(found.prepare(args ?? {}, argsAt));
}

function readBulk(api: Api, type: string, args: unknown, at: readonly PropertyKey[]): Run {
  if (!Array.isArray(args)) {
    throw new EngineError(
      'parse-failed',
      `parsing [] failed, expected Array, but encountered ${jsonType(args)}`,
      {
        path: jsonPath(at),
      },
    );
  }
  const runs = args.map((item: unknown, index) =>
    withPrefix(`[${index}]`, readOne(api, item, [...at, index])),
  );
  if (type === 'bulk_keep_going') {
    return async (context) => {
      const results: unknown[] = [];
      for (const run of runs) {
        results.push(
          await run(context).catch((error: unknown) => {
            if (!(error instanceof EngineError)) throw error;
            return { error: error.message, path: error.path, code: error.code };
          }),
        );
      }
      return results;
    };
  }
  return async (context) => {
    const results: unknown[] = [];
    // In order even for concurrent_bulk: its commands only read.
    for (const run of runs) results.push(await run(context));
    return type === 'bulk_atomic' ? { message: 'success' } : results;
  };
}

function withPrefix(prefix: string, run: Run): Run {
  return async (context) => {
    try {
      return await run(context);
    } catch (error) {
      // A refused version is about the request, not about its arguments.
      throw error instanceof EngineError && error.code !== 'conflict' ? prefixPath(error, prefix) : error;
    }
  };
}

function findCommand(api: Api, type: string): Command | undefined {
  const own = (commands: Commands, name: string) =>
    Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (type === 'run_sql' || type === 'pg_run_sql')
    return api === 'v1/metadata' ? undefined : runSqlCommands.run_sql;
  if (api === 'v2/query') return undefined;
  if (api === 'v1/query') return own(plain, type) ?? own(ofSource, type);
  return own(plain, type) ?? (type.startsWith('pg_') ? own(ofSource, type.slice('pg_'.length)) : undefined);
}

function unknownType(api: Api, type: string, at: readonly PropertyKey[]): EngineError {
  if (OTHER_BACKENDS.test(type)) {
    return new EngineError('not-supported', `${type}: the embedded engine knows PostgreSQL sources only`);
  }
  if (REMOTE_SCHEMAS.test(type)) {
    return new EngineError(
      'not-supported',
      `${type}: remote schemas are not supported by the embedded engine`,
    );
  }
  const path = { path: jsonPath([...at, 'type']) };
  if (api === 'v1/query') {
    return new EngineError(
      'parse-failed',
      `parsing Hasura.Server.API.Query.RQLQueryV1 failed, expected tag field to be one of [${V1_QUERY_TYPES.map((name) => `"${name}"`).join(',')}], but found tag "${type}"`,
      path,
    );
  }
  const message =
    api === 'v2/query' ? `Unrecognised RQLQuery type: ${type}` : `unknown metadata command "${type}"`;
  return new EngineError('parse-failed', message, { path: jsonPath(at) });
}
