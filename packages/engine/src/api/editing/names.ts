/** What metadata objects are called in messages, and how inconsistencies name them. */
import { unsupportedName } from '#metadata/unsupported-objects.ts';
import { displayName, type QualifiedName } from '#postgres/catalog.ts';

export type PermissionKind = 'insert' | 'select' | 'update' | 'delete';

/** Quoted, as in `table "author" does not exist`. */
export const quoted = (name: QualifiedName) => `"${displayName(name)}"`;

/** The `name` of an inconsistency, which identifies its object. */
export const objectName = {
  ...unsupportedName,
  table: (source: string, table: QualifiedName) => `table ${displayName(table)} in source ${source}`,
  function: (source: string, name: QualifiedName) => `function ${displayName(name)} in source ${source}`,
  functionPermission: (source: string, name: QualifiedName, role: string) =>
    `function_permission ${role} permission for function ${displayName(name)} in source ${source}`,
  relationship: (kind: 'object' | 'array', source: string, table: QualifiedName, name: string) =>
    `${kind}_relation ${name} in ${objectName.table(source, table)}`,
  remoteRelationship: (source: string, table: QualifiedName, name: string) =>
    `remote_relationship ${name} in ${objectName.table(source, table)}`,
  computedField: (source: string, table: QualifiedName, name: string) =>
    `computed_field ${name} in ${objectName.table(source, table)}`,
  permission: (kind: PermissionKind, source: string, table: QualifiedName, role: string) =>
    `${kind}_permission ${role} in ${objectName.table(source, table)}`,
  eventTrigger: (source: string, table: QualifiedName, name: string) =>
    `event_trigger ${name} in ${objectName.table(source, table)}`,
  cronTrigger: (name: string) => `cron_trigger ${name}`,
  action: (name: string) => `action ${name}`,
  actionPermission: (name: string, role: string) => `action_permission ${role} permission in ${name}`,
  customTypes: () => 'custom_types custom_types',
  inheritedRole: (name: string) => `inherited_role inherited role ${name}`,
  endpoint: (name: string) => `rest_endpoint ${name}`,
} as const;

/** How a dependency error names what depends. */
export const dependent = {
  source: (source: string) => `source ${source}`,
  function: (source: string, name: QualifiedName) => within(`function ${displayName(name)}`, source),
  relationship: (source: string, table: QualifiedName, name: string) =>
    within(`relationship ${displayName(table)}.${name}`, source),
  remoteRelationship: (source: string, table: QualifiedName, name: string) =>
    within(`remote relationship ${displayName(table)}.${name}`, source),
  permission: (source: string, table: QualifiedName, role: string, kind: PermissionKind) =>
    within(`permission ${displayName(table)}.${role}.${kind}`, source),
  computedField: (source: string, table: QualifiedName, name: string) =>
    within(`computed field ${displayName(table)}.${name}`, source),
  eventTrigger: (source: string, table: QualifiedName, name: string) =>
    within(`event-trigger ${displayName(table)}.${name}`, source),
} as const;

function within(text: string, source: string): string {
  return `${text} in source "${source}"`;
}
