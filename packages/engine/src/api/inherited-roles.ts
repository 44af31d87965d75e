/** Inherited roles whose parents there are. */
import type { InconsistentObject } from '#metadata/problem.ts';
import { rolesOf } from '#metadata/roles.ts';
import type { InheritedRole, Metadata } from '#metadata/types.ts';
import { objectName } from './editing/names.ts';

export interface CheckedRoles {
  /** The metadata without the roles that do not fit: whoever has one of them may do nothing. */
  readonly usable: Metadata;
  readonly inconsistencies: readonly InconsistentObject[];
}

/** A parent is a role with a permission, or an inherited role that fits itself. */
export function checkInheritedRoles(metadata: Metadata): CheckedRoles {
  const inconsistencies: InconsistentObject[] = [];
  const own = rolesOf({ ...metadata, inherited_roles: [] });
  let roles = metadata.inherited_roles;
  for (;;) {
    const known = own.union(new Set(roles.map((role) => role.role_name)));
    const fitting = roles.filter(({ role_set: parents }) => parents.every((parent) => known.has(parent)));
    if (fitting.length === roles.length) break;
    for (const role of roles) if (!fitting.includes(role)) inconsistencies.push(describe(role, known));
    roles = fitting;
  }
  return {
    usable: inconsistencies.length === 0 ? metadata : { ...metadata, inherited_roles: roles },
    inconsistencies,
  };
}

function describe({ role_name: name, role_set: parents }: InheritedRole, known: ReadonlySet<string>) {
  const missing = parents.filter((parent) => !known.has(parent)).map((parent) => `"${parent}"`);
  return {
    type: 'inherited_role',
    name: objectName.inheritedRole(name),
    reason: `Inconsistent object: the following parent role(s) are not found: ${missing.join(', ')} which are required to construct the inherited role: "${name}"`,
    definition: { role_name: name, role_set: [...parents] },
  };
}
