/** The roles that the metadata know of. */
import type { Metadata } from './types.ts';

export function rolesOf({ sources, actions, inherited_roles: inherited }: Metadata): ReadonlySet<string> {
  const permissions = sources.flatMap(({ tables, functions }) => [
    ...tables.flatMap((table) => [
      ...table.select_permissions,
      ...table.insert_permissions,
      ...table.update_permissions,
      ...table.delete_permissions,
    ]),
    ...functions.flatMap((entry) => entry.permissions),
  ]);
  return new Set([
    ...[...permissions, ...actions.flatMap((action) => action.permissions)].map(({ role }) => role),
    ...inherited.map((role) => role.role_name),
  ]);
}
