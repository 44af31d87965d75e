/** The types of a role's schema as introspection tells them. */
import type { NamedType, RoleSchema, TypeRef } from '#ir/schema.ts';
import { rootsOf, walkTypes } from './all-types.ts';
import { DIRECTIVES } from './introspection-types.ts';

export interface ShownTypes {
  /** By name. */
  readonly types: ReadonlyMap<string, NamedType>;
  /** How many fields, arguments and enum values they have. */
  readonly entries: number;
  /** Whether a field or an argument is told: not those whose type has nothing in it. */
  shows(field: { readonly type: TypeRef }): boolean;
}

const shown = new WeakMap<RoleSchema, ShownTypes>();

export function shownTypes(schema: RoleSchema): ShownTypes {
  const known = shown.get(schema);
  if (known !== undefined) return known;
  const { types, mentions } = meetTypes(schema);
  const empty = findEmpty([...types.values()]);
  for (const { name } of empty) types.delete(name);
  const enumValues = types
    .values()
    .reduce((sum, type) => sum + (type.kind === 'enum' ? type.values.size : 0), 0);
  const made = {
    types,
    entries: mentions + enumValues,
    shows: ({ type }: { type: TypeRef }) => !empty.has(namedOf(type)),
  };
  shown.set(schema, made);
  return made;
}

/**
 * Types without a field, such as the row that a role may insert with nothing of its own: GraphQL has no such types, and
 * clients refuse a whole schema for one. A type whose fields are all of such types is one itself.
 */
function findEmpty(types: readonly NamedType[]): ReadonlySet<NamedType> {
  const empty = new Set<NamedType>();
  for (let before = -1; before !== empty.size; ) {
    before = empty.size;
    for (const type of types)
      if ('fields' in type && type.fields.values().every((field) => empty.has(namedOf(field.type))))
        empty.add(type);
  }
  return empty;
}

const namedOf = (type: TypeRef): NamedType => (type.kind === 'list' ? namedOf(type.of) : type.type);

/** Every type that the roots, the directives or introspection itself lead to, by name. */
export function allTypes(schema: RoleSchema): ReadonlyMap<string, NamedType> {
  return meetTypes(schema).types;
}

/** @returns how often types are mentioned, too: once for each field and argument */
function meetTypes(schema: RoleSchema): { types: Map<string, NamedType>; mentions: number } {
  const types = new Map<string, NamedType>();
  let mentions = 0;
  walkTypes(rootsOf(schema), (type) => {
    mentions += 1;
    if (types.has(type.name)) return false;
    types.set(type.name, byItsName(type));
    return true;
  });
  for (const directive of DIRECTIVES)
    for (const argument of directive.arguments.values()) {
      const type = namedOf(argument.type);
      if (!types.has(type.name)) types.set(type.name, type);
    }
  return { types, mentions };
}

/** An array is a list of its elements' scalar: where it stands the list is told, by name there is the scalar alone. */
const byItsName = (type: NamedType): NamedType =>
  type.kind === 'scalar' && type.array ? { ...type, array: false } : type;
