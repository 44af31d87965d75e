/** Who may do what with a table: the metadata's permissions, admin's, and those that roles inherit. */

import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { ADMIN_ROLE } from '#base/session.ts';
import type { SourceDraft, TableDraft } from '#ir/draft.ts';
import { ALWAYS } from '#ir/predicate.ts';
import type { DeleteAccess, InsertAccess, Preset, SelectAccess, UpdateAccess } from '#ir/tracked.ts';
import type { InputHook } from '#ir/validation.ts';
import { inTable, Problem, type Problems } from '#metadata/problem.ts';
import type { TableMetadata, ValidateInput } from '#metadata/types.ts';
import { fillTemplate } from '#outgoing/env-template.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { planFilter } from './filter.ts';
import type { Lookup } from './filter-context.ts';
import { readParam } from './filter-operators.ts';
import { type Inheritable, inherit, inheritSelect } from './inherited.ts';

interface Accesses {
  readonly select: Map<string, SelectAccess>;
  readonly insert: Map<string, InsertAccess>;
  readonly update: Map<string, UpdateAccess>;
  readonly delete: Map<string, DeleteAccess>;
}

/** Adds to each draft what its roles may do with it. */
export function createAccess(
  { input: { metadata, source, env }, tables, problems }: SourceDraft,
  sources: ReadonlyMap<string, SourceDraft>,
): { apply(draft: TableDraft): void } {
  const lookup: Lookup = {
    table: (name) => tables.get(tableKey(name)),
    elsewhere: (other, name) => sources.get(other)?.tables.get(tableKey(name)),
  };
  const parents = new Map(metadata.inherited_roles.map((role) => [role.role_name, role.role_set]));
  return {
    apply(draft) {
      const direct = directAccesses(draft, lookup, source.name, env, problems);
      const report = (role: string, permission: string) => {
        const table = displayName(draft.table.name);
        problems.add({
          type: 'inherited role permission inconsistency',
          name: role,
          reason: `Could not inherit permission for the role '${role}' for the entity: '${permission} permission, table: ${table}, source: '${source.name}''`,
          entity: { permission_type: permission, source: source.name, table },
        });
      };
      const seen = new Set<string>();
      for (const role of parents.keys()) inheritAll(role, parents, direct, report, seen);
      const { table } = draft;
      const admin = adminAccess(draft);
      table.selectAccess = (role) => (role === ADMIN_ROLE ? admin.select : direct.select.get(role));
      table.insertAccess = (role) => (role === ADMIN_ROLE ? admin.insert : direct.insert.get(role));
      table.updateAccess = (role) => (role === ADMIN_ROLE ? admin.update : direct.update.get(role));
      table.deleteAccess = (role) => (role === ADMIN_ROLE ? admin.delete : direct.delete.get(role));
    },
  };
}

function inheritAll(
  role: string,
  parents: ReadonlyMap<string, readonly string[]>,
  direct: Accesses,
  report: (role: string, permission: string) => void,
  seen: Set<string>,
): void {
  const set = parents.get(role);
  if (set === undefined || seen.has(role)) return;
  seen.add(role);
  for (const parent of set) inheritAll(parent, parents, direct, report, seen);
  const of = <Access>(accesses: ReadonlyMap<string, Access>) =>
    set.flatMap((parent) => accesses.get(parent) ?? []);
  if (!direct.select.has(role)) {
    const combined = inheritSelect(of(direct.select));
    if (combined !== undefined) direct.select.set(role, combined);
  }
  const take = <Access extends Inheritable>(accesses: Map<string, Access>, permission: string) => {
    if (accesses.has(role)) return;
    const combined = inherit(of(accesses));
    if (combined === 'conflict') report(role, permission);
    else if (combined !== undefined) accesses.set(role, combined);
  };
  take(direct.insert, 'insert');
  take(direct.update, 'update');
  take(direct.delete, 'delete');
}

const isWritable = (column: { readonly generated: boolean; readonly identity: string | undefined }) =>
  !column.generated && column.identity !== 'always';

function adminAccess({ table }: TableDraft) {
  const columns = new Set(table.columns.filter(isWritable).map(({ name }) => name));
  return {
    select: {
      columns: new Map(table.columns.map(({ name }) => [name, undefined])),
      computedFields: new Map(scalarFields(table).map((name) => [name, undefined])),
      filter: ALWAYS,
      limit: undefined,
      aggregations: true,
      queryRootFields: undefined,
      subscriptionRootFields: undefined,
    } satisfies SelectAccess,
    insert: { columns, check: ALWAYS, presets: [], backendOnly: false } satisfies InsertAccess,
    update: {
      columns,
      filter: ALWAYS,
      check: undefined,
      presets: [],
      backendOnly: false,
    } satisfies UpdateAccess,
    delete: { filter: ALWAYS, backendOnly: false } satisfies DeleteAccess,
  };
}

function scalarFields(table: TableDraft['table']): string[] {
  return [...table.computedFields.values()].flatMap((field) =>
    field.returns.kind === 'scalar' ? [field.name] : [],
  );
}

/** The permissions that are written in the metadata, as far as they are sound. */
function directAccesses(
  draft: TableDraft,
  lookup: Lookup,
  source: string,
  env: Environment,
  problems: Problems,
): Accesses {
  const { metadata, table } = draft;
  const filter = (expression: unknown) => planFilter(expression, draft, lookup);
  const readAll = <Entry extends { role: string; permission: unknown; comment?: string | undefined }, Access>(
    kind: string,
    entries: readonly Entry[],
    read: (permission: Entry['permission'], role: string) => Access,
  ) => {
    const accesses = new Map<string, Access>();
    // What roles share in the metadata they share here.
    const known = new Map<Entry['permission'], Access>();
    for (const { role, permission, comment } of entries) {
      const object = {
        type: `${kind}_permission`,
        name: `${kind}_permission ${role} in table ${displayName(table.name)} in source ${source}`,
        definition: {
          comment: comment ?? null,
          permission: permission,
          role,
          source,
          table: table.name,
        },
        context: `${inTable(table.name)}in permission for role "${role}": `,
      };
      problems.attempt(object, () => {
        if (role === ADMIN_ROLE) throw new Problem('cannot define permission for admin role');
        const access = known.get(permission) ?? read(permission, role);
        known.set(permission, access);
        accesses.set(role, access);
      });
    }
    return accesses;
  };
  type Of<Key extends keyof TableMetadata> = TableMetadata[Key] extends readonly { permission: infer P }[]
    ? P
    : never;
  return {
    select: readAll('select', metadata.select_permissions, (permission: Of<'select_permissions'>, role) =>
      readSelect(draft, permission, filter, role, source),
    ),
    insert: readAll('insert', metadata.insert_permissions, (permission: Of<'insert_permissions'>) => {
      const presets = readPresets(draft, permission.set);
      return {
        check: filter(permission.check),
        columns: writableColumns(draft, permission.columns ?? '*', presets, 'insert'),
        presets,
        backendOnly: permission.backend_only,
        inputHook: readInputHook(permission.validate_input, env),
      };
    }),
    update: readAll('update', metadata.update_permissions, (permission: Of<'update_permissions'>) => {
      const presets = readPresets(draft, permission.set);
      return {
        filter: filter(permission.filter),
        check: permission.check === undefined ? undefined : filter(permission.check),
        columns: writableColumns(draft, permission.columns, presets, 'update'),
        presets,
        backendOnly: permission.backend_only,
        inputHook: readInputHook(permission.validate_input, env),
      };
    }),
    delete: readAll('delete', metadata.delete_permissions, (permission: Of<'delete_permissions'>) => ({
      filter: filter(permission.filter),
      backendOnly: permission.backend_only,
      inputHook: readInputHook(permission.validate_input, env),
    })),
  };
}

function readInputHook(settings: ValidateInput, env: Environment): InputHook | undefined {
  if (settings === undefined) return undefined;
  const { url, headers, timeout, forward_client_headers: forwardClientHeaders } = settings.definition;
  try {
    return { url: fillTemplate(url, env), headers, timeoutSeconds: timeout, forwardClientHeaders };
  } catch (error) {
    throw error instanceof EngineError ? new Problem(error.message) : error;
  }
}

function readSelect(
  draft: TableDraft,
  permission: TableMetadata['select_permissions'][number]['permission'],
  filter: (expression: unknown) => SelectAccess['filter'],
  role: string,
  source: string,
): SelectAccess {
  const { table } = draft;
  const predicate = filter(permission.filter);
  const columns = permission.columns === '*' ? table.columns.map(({ name }) => name) : permission.columns;
  for (const name of columns)
    requireColumn(draft, name, 'permissions for relationships are automatically inferred');
  for (const name of permission.computed_fields) {
    const field = table.computedFields.get(name);
    if (field === undefined) throw new Problem(`computed field "${name}" does not exist`);
    if (field.returns.kind === 'table')
      throw new Problem(
        `select permissions on computed field "${name}" are auto-derived from the permissions on its returning table "${displayName(field.returns.table)}" and cannot be specified manually`,
      );
  }
  checkRootFields(draft, permission, columns, role, source);
  return {
    columns: new Map(columns.map((name) => [name, undefined])),
    computedFields: new Map(permission.computed_fields.map((name) => [name, undefined])),
    filter: predicate,
    limit: permission.limit,
    aggregations: permission.allow_aggregations,
    queryRootFields: permission.query_root_fields && new Set(permission.query_root_fields),
    subscriptionRootFields:
      permission.subscription_root_fields && new Set(permission.subscription_root_fields),
  };
}

function checkRootFields(
  { table }: TableDraft,
  permission: TableMetadata['select_permissions'][number]['permission'],
  columns: readonly string[],
  role: string,
  source: string,
): void {
  const named = new Set<string>([
    ...(permission.query_root_fields ?? []),
    ...(permission.subscription_root_fields ?? []),
  ]);
  if (named.has('select_by_pk') && table.primaryKey?.every(({ name }) => columns.includes(name)) !== true)
    throw new Problem(
      `The "select_by_pk" field cannot be included in the query_root_fields or subscription_root_fields because the role "${role}" does not have access to the primary key of the table "${displayName(table.name)}" in the source "${source}"`,
    );
  if (named.has('select_aggregate') && !permission.allow_aggregations)
    throw new Problem(
      'The "select_aggregate" root field can only be enabled in the query_root_fields or  the subscription_root_fields when "allow_aggregations" is set to true',
    );
}

function requireColumn({ table }: TableDraft, name: string, otherwise: string) {
  const column = table.columnByName.get(name);
  if (column !== undefined) return column;
  if (table.relationships.has(name) || table.computedFields.has(name)) throw new Problem(otherwise);
  throw new Problem(`column "${name}" does not exist`);
}

function writableColumns(
  draft: TableDraft,
  columns: '*' | readonly string[],
  presets: readonly Preset[],
  operation: string,
): ReadonlySet<string> {
  const names = columns === '*' ? draft.table.columns.filter(isWritable).map(({ name }) => name) : columns;
  const otherwise = `Only table columns can have ${operation} permissions defined, not relationships or other field types`;
  for (const name of names) {
    if (!isWritable(requireColumn(draft, name, otherwise)))
      throw new Problem(
        `Column "${name}" is not ${operation === 'insert' ? 'insertable' : 'updatable'} and so cannot have ${operation} permissions defined`,
      );
  }
  const preset = new Set(presets.map(({ column }) => column));
  return new Set(names.filter((name) => !preset.has(name)));
}

function readPresets({ table }: TableDraft, set: Readonly<Record<string, unknown>> | undefined): Preset[] {
  return Object.entries(set ?? {}).map(([name, value]) => {
    const column = table.columnByName.get(name);
    if (column === undefined)
      throw new Problem(`column "${name}" not found in table "${displayName(table.name)}"`);
    return { column: name, type: column.type, param: readParam(value, column.type) };
  });
}
