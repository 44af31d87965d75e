/** Permissions of roles on tables. */
import { z } from 'zod';
import { type Command, type Commands, command, SUCCESS } from '#api/command.ts';
import { findTable, withTable } from '#api/editing/find.ts';
import { objectName, type PermissionKind, quoted } from '#api/editing/names.ts';
import { EngineError } from '#base/errors.ts';
import { ADMIN_ROLE } from '#base/session.ts';
import { nonEmptyText, object } from '#metadata/primitives.ts';
import {
  deletePermission,
  insertPermission,
  qualifiedName,
  selectPermission,
  type TableMetadata,
  updatePermission,
} from '#metadata/types.ts';
import { isPlainObject } from '#values/json.ts';

const source = nonEmptyText.default('default');
const KEYS = {
  insert: 'insert_permissions',
  select: 'select_permissions',
  update: 'update_permissions',
  delete: 'delete_permissions',
} as const;

function create<Permission extends z.ZodType>(
  kind: PermissionKind,
  permission: Permission,
  put: (
    table: TableMetadata,
    entry: { role: string; permission: z.output<Permission>; comment: string | undefined },
  ) => TableMetadata,
): Command {
  const args = object({
    source,
    table: qualifiedName,
    role: nonEmptyText,
    permission,
    comment: z.string().optional(),
  });
  return command(args, async (parsed, { draft }) => {
    const {
      source: name,
      table,
      role,
      comment,
    } = z
      .object({ source: z.string(), table: qualifiedName, role: z.string(), comment: z.string().optional() })
      .parse(parsed);
    const entry = findTable(draft.state.metadata, name, table);
    if (role === ADMIN_ROLE || entry[KEYS[kind]].some((one) => one.role === role)) {
      throw new EngineError(
        'already-exists',
        `${kind} permission already defined on table ${quoted(table)} with role "${role}"`,
      );
    }
    const granted = readPermission(parsed, permission);
    await draft.change(
      withTable(draft.state.metadata, name, table, (one) => put(one, { role, permission: granted, comment })),
      objectName.permission(kind, name, table, role),
    );
    return SUCCESS;
  });
}

/** The compiler cannot see through the generic arguments; `permission` has been parsed by its schema. */
function readPermission<Permission extends z.ZodType>(
  args: unknown,
  permission: Permission,
): z.output<Permission> {
  return permission.parse(isPlainObject(args) ? args.permission : undefined);
}

function drop(kind: PermissionKind): Command {
  return command(object({ source, table: qualifiedName, role: nonEmptyText }), async (args, { draft }) => {
    const { source: name, table, role } = args;
    const key = KEYS[kind];
    if (!findTable(draft.state.metadata, name, table)[key].some((one) => one.role === role)) {
      throw new EngineError(
        'permission-denied',
        `${kind} permission on ${quoted(table)} for role "${role}" does not exist`,
      );
    }
    await draft.change(
      withTable(draft.state.metadata, name, table, (entry) => ({
        ...entry,
        [key]: entry[key].filter((one) => one.role !== role),
      })),
    );
    return SUCCESS;
  });
}

export const permissionCommands: Commands = {
  create_insert_permission: create('insert', insertPermission, (table, entry) => ({
    ...table,
    insert_permissions: [...table.insert_permissions, entry],
  })),
  create_select_permission: create('select', selectPermission, (table, entry) => ({
    ...table,
    select_permissions: [...table.select_permissions, entry],
  })),
  create_update_permission: create('update', updatePermission, (table, entry) => ({
    ...table,
    update_permissions: [...table.update_permissions, entry],
  })),
  create_delete_permission: create('delete', deletePermission, (table, entry) => ({
    ...table,
    delete_permissions: [...table.delete_permissions, entry],
  })),
  drop_insert_permission: drop('insert'),
  drop_select_permission: drop('select'),
  drop_update_permission: drop('update'),
  drop_delete_permission: drop('delete'),
  set_permission_comment: command(
    object({
      source,
      table: qualifiedName,
      role: nonEmptyText,
      type: z.enum(['insert', 'select', 'update', 'delete']),
      comment: z.string().optional(),
    }),
    async ({ source: name, table, role, type, comment }, { draft }) => {
      const key = KEYS[type];
      if (!findTable(draft.state.metadata, name, table)[key].some((one) => one.role === role)) {
        throw new EngineError(
          'permission-denied',
          `${type} permission on ${quoted(table)} for role "${role}" does not exist`,
        );
      }
      await draft.change(
        withTable(draft.state.metadata, name, table, (entry) => ({
          ...entry,
          [key]: entry[key].map((one) => (one.role === role ? { ...one, comment } : one)),
        })),
      );
      return SUCCESS;
    },
  ),
};
