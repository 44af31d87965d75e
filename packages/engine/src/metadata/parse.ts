/** From JSON to checked values. Errors are those of Hasura's JSON reader: what is wrong, and at which path. */
import type { z } from 'zod';
import { EngineError, jsonPath } from '#base/errors.ts';
import { jsonType } from '#values/json.ts';
import { internPermissions } from './intern.ts';
import { type Metadata, metadata } from './types.ts';

const MISSING = ' missing';
/** What zod finds where a key is missing. */
const ABSENT = new Set(['invalid_type', 'invalid_value', 'invalid_union', 'custom']);

/**
 * @param at where in the request `value` stands, for the error's path
 * @param reader named in errors about what is missing at the top, as some of Hasura's do
 * @throws {EngineError} `parse-failed`
 */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  at: readonly PropertyKey[] = [],
  reader?: string,
): z.output<Schema> {
  assertReadable(value, at);
  const parsed = schema.safeParse(value, { error: describe });
  if (parsed.success) return parsed.data;
  const { message, path } = mostSpecific(parsed.error.issues);
  const named = reader !== undefined && path.length === 0 && message.endsWith('not found');
  throw new EngineError('parse-failed', named ? `parsing ${reader} failed, ${message}` : message, {
    path: jsonPath([...at, ...path]),
  });
}

/** @throws {EngineError} `parse-failed`, with the path of the offending key */
export function parseMetadata(value: unknown, at: readonly PropertyKey[] = []): Metadata {
  const parsed = parseWith(metadata, value, at);
  checkUnique(parsed, at);
  return internPermissions(parsed);
}

/**
 * What readers of JSON drop silently. They leave out the key `__proto__`: a condition on a column of that
 * name would be none, and its permission would hold for every row. And a number such as `1e400` becomes infinite,
 * which no type of a column reads and JSON writes as null.
 */
function assertReadable(value: unknown, at: readonly PropertyKey[]): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new EngineError('parse-failed', 'a number is too large; write it as text', { path: jsonPath(at) });
  }
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) {
    throw new EngineError('parse-failed', 'the key "__proto__" is not supported; choose another name', {
      path: jsonPath(at),
    });
  }
  for (const [key, item] of Object.entries(value)) {
    assertReadable(item, [...at, Array.isArray(value) ? Number(key) : key]);
  }
}

function describe(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && ABSENT.has(issue.code)) return MISSING;
  if (issue.code === 'invalid_type') {
    const expected = {
      object: 'Object',
      array: 'Array',
      string: 'String',
      boolean: 'Bool',
      record: 'Object',
    }[issue.expected as string];
    const type =
      { Object: 'Object', Array: '[]', String: 'Text', Bool: 'Bool' }[expected ?? ''] ?? issue.expected;
    return `parsing ${type} failed, expected ${expected ?? 'Number'}, but encountered ${jsonType(issue.input)}`;
  }
  return undefined;
}

interface Issue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

/** The issue that tells most: of a union, that of the alternative which came furthest. */
function mostSpecific(issues: readonly z.core.$ZodIssue[]): Issue {
  const found = issues.map((issue): Issue => {
    if (issue.code === 'unrecognized_keys') {
      const key = issue.keys[0] ?? '';
      return {
        message: `unexpected key "${key}"; remove it or check its spelling`,
        path: [...issue.path, key],
      };
    }
    if (issue.message === MISSING) {
      return {
        message: `key "${String(issue.path.at(-1))}" not found`,
        path: issue.path.slice(0, -1),
      };
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const alternatives = issue.errors.filter((alternative) => alternative.length > 0).map(mostSpecific);
      const inner = alternatives.reduce((best, next) => (next.path.length > best.path.length ? next : best));
      return { message: inner.message, path: [...issue.path, ...inner.path] };
    }
    return { message: issue.message, path: issue.path };
  });
  return found[0] ?? { message: 'invalid', path: [] };
}

function checkUnique(parsed: Metadata, at: readonly PropertyKey[]): void {
  const unique = (what: string, names: readonly string[], path: readonly PropertyKey[]) => {
    const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
    if (twice.length === 0) return;
    throw new EngineError(
      'parse-failed',
      `multiple declarations exist for the following ${what}: ${twice.join(', ')}`,
      { path: jsonPath([...at, ...path]) },
    );
  };
  unique(
    'sources',
    [...parsed.sources, ...parsed.unsupported_sources].map((source) => source.name),
    ['sources'],
  );
  unique(
    'remote schemas',
    parsed.remote_schemas.map(({ name }) => name),
    ['remote_schemas'],
  );
  unique(
    'query collections',
    parsed.query_collections.map(({ name }) => name),
    [],
  );
  unique(
    'allowlist entries',
    parsed.allowlist.map(({ collection }) => collection),
    [],
  );
  unique(
    'actions',
    parsed.actions.map(({ name }) => name),
    [],
  );
  unique(
    'cron triggers',
    parsed.cron_triggers.map(({ name }) => name),
    [],
  );
  unique(
    'inherited roles',
    parsed.inherited_roles.map((role) => role.role_name),
    [],
  );
  for (const [index, source] of parsed.sources.entries()) {
    unique(
      'tables',
      source.tables.map(({ table }) => JSON.stringify([table.schema, table.name])),
      ['sources', index, 'tables'],
    );
    for (const [position, table] of source.tables.entries()) {
      const path = ['sources', index, 'tables', position];
      const roles = (list: readonly { readonly role: string }[]) => list.map(({ role }) => role);
      const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
      unique('object relationships', names(table.object_relationships), path);
      unique('array relationships', names(table.array_relationships), path);
      unique('computed fields', names(table.computed_fields), path);
      unique(
        'remote relationships',
        names([...table.remote_relationships, ...table.remote_schema_relationships]),
        path,
      );
      unique('insert permissions', roles(table.insert_permissions), path);
      unique('select permissions', roles(table.select_permissions), path);
      unique('update permissions', roles(table.update_permissions), path);
      unique('delete permissions', roles(table.delete_permissions), path);
      unique('event triggers', names(table.event_triggers), path);
    }
  }
}
