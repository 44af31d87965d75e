/** `/v1/metadata`, `/v2/query` and `/v1/query`: from a request body to commands, alone or in bulk. */

import { z } from 'zod';
import type { Api, Command, Commands } from '#api/command.ts';
import { actionCommands } from '#api/commands/actions.ts';
import { collectionCommands } from '#api/commands/collections.ts';
import { cleanupCommands, eventLogCommands, scheduledLogCommands } from '#api/commands/event-logs.ts';
import { functionCommands } from '#api/commands/functions.ts';
import { exportVersioned, metadataCommands } from '#api/commands/metadata.ts';
import { permissionCommands } from '#api/commands/permissions.ts';
import { relationshipCommands } from '#api/commands/relationships.ts';
import { remoteRelationshipCommands } from '#api/commands/remote-relationships.ts';
import { runSqlCommands } from '#api/commands/run-sql.ts';
import { settingCommands } from '#api/commands/settings.ts';
import { sourceInfoCommands, sourceKindCommands } from '#api/commands/source-info.ts';
import { sourceCommands, sourceNamingCommands } from '#api/commands/sources.ts';
import { tableCommands } from '#api/commands/tables.ts';
import { transformCommands } from '#api/commands/transforms.ts';
import {
  cronTriggerCommands,
  eventCommands,
  eventTriggerCommands,
  scheduledEventCommands,
} from '#api/commands/triggers.ts';
import { EngineError, jsonPath } from '#base/errors.ts';
import { ROW_COMMANDS } from '#execute/operation.ts';
import { conflict } from '#storage/metadata-store.ts';
import { toJavaScriptNumbers } from '#values/exact-json.ts';
import { isPlainObject, jsonType } from '#values/json.ts';
import { bulkType, type Run, readBulk, withPrefix } from './bulk.ts';
import { unsupportedCommand } from './unsupported-commands.ts';
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
  ...eventLogCommands,
  ...sourceInfoCommands,
};
const plain: Commands = {
  ...metadataCommands,
  ...sourceNamingCommands,
  ...sourceKindCommands,
  ...actionCommands,
  ...collectionCommands,
  ...settingCommands,
  ...cronTriggerCommands,
  ...scheduledEventCommands,
  ...scheduledLogCommands,
  ...cleanupCommands,
  ...transformCommands,
};
/** Hasura's two names for this kind of source. */
const OF_POSTGRES = /^(?:pg|postgres)_/;

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

/** As in Hasura, access is denied only for a request that can be read; commands that are not supported count as such. */
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
  if (bulkType(api, type) !== undefined)
    return Array.isArray(args) && args.some((item) => needsAdmin(api, item));
  return !ROW_COMMANDS.some((name) => name === type);
}

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
  const given = (): unknown => {
    if (args === undefined)
      throw new EngineError('parse-failed', 'key "args" not found', { path: jsonPath(at) });
    return args;
  };
  // Where a command of `/v2/query` fails is told as if it were its arguments alone.
  const inner = (run: Run): Run => (api === 'v2/query' ? run : withPrefix('.args', run));
  const bulk = bulkType(api, type);
  if (bulk !== undefined)
    return inner(readBulk(bulk, given(), argsAt, (item, itemAt) => readOne(api, item, itemAt)));
  const rowCommand = ROW_COMMANDS.find((name) => name === type);
  if (api !== 'v1/metadata' && rowCommand !== undefined) {
    const rowArgs = given();
    return inner(async ({ draft, session }) => draft.state.core.rows.run(rowCommand, rowArgs, session));
  }
  const found = findCommand(api, type);
  if (found === undefined) throw unknownType(api, type, at);
  const plainArgs = toJavaScriptNumbers(given());
  if (type === 'export_metadata' && version === 2) return inner(async (context) => exportVersioned(context));
  return inner(prepare(api, type, found, plainArgs, argsAt));
}

/** Arguments of commands of one kind of database come with a hint where they cannot be read. */
function prepare(api: Api, type: string, found: Command, args: unknown, at: readonly PropertyKey[]): Run {
  if (api !== 'v1/metadata' || !OF_POSTGRES.test(type)) return found.prepare(args, at);
  try {
    return found.prepare(args, at);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'parse-failed') throw error;
    const lines = [
      `Error when parsing command ${type.replace(OF_POSTGRES, '')}.`,
      'See our documentation at https://hasura.io/docs/latest/graphql/core/api-reference/metadata-api/index.html#metadata-apis.',
      `Internal error message: ${error.message}`,
    ];
    throw new EngineError('parse-failed', lines.join('\n'), { path: error.path, cause: error });
  }
}

function findCommand(api: Api, type: string): Command | undefined {
  const own = (commands: Commands, name: string) =>
    Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (type === 'run_sql' || type === 'pg_run_sql')
    return api === 'v1/metadata' ? undefined : runSqlCommands.run_sql;
  if (api === 'v2/query') return undefined;
  if (api === 'v1/query') return own(plain, type) ?? own(ofSource, type);
  const bare = type.replace(OF_POSTGRES, '');
  return own(plain, type) ?? (bare === type ? undefined : own(ofSource, bare));
}

function unknownType(api: Api, type: string, at: readonly PropertyKey[]): EngineError {
  const unsupported = unsupportedCommand(type);
  if (unsupported !== undefined) return unsupported;
  const path = { path: jsonPath([...at, 'type']) };
  if (api === 'v1/query') {
    return new EngineError(
      'parse-failed',
      `parsing Hasura.Server.API.Query.RQLQueryV1 failed, expected tag field to be one of [${V1_QUERY_TYPES.map((name) => `"${name}"`).join(',')}], but found tag "${type}"`,
      path,
    );
  }
  const message = api === 'v2/query' ? `Unrecognised RQLQuery type: ${type}` : unknownCommand(type);
  return new EngineError('parse-failed', message, { path: jsonPath(at) });
}

/** What stands before the first underscore may be a kind of source: data connectors have names of their own. */
function unknownCommand(type: string): string {
  const end = type.indexOf('_');
  const prefix = end === -1 ? type : type.slice(0, end);
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(prefix))
    return `unknown metadata command "${type}"; "${prefix}" was not recognized as a valid backend name`;
  const backend = prefix === 'pg' ? 'postgres' : prefix;
  return `unknown metadata command "${type.slice(prefix.length + 1)}" for backend ${backend}`;
}
