/** All types that a schema's roots lead to. */
import type { NamedType, ObjectType, RoleSchema, TypeRef } from '#ir/schema.ts';

/** Names of fields and arguments, from the inside out. */
export interface TypePath {
  readonly name: string;
  readonly outer: TypePath | undefined;
}

export function rootsOf({ query, mutation, subscription }: RoleSchema): ObjectType[] {
  return [query, mutation, subscription].filter((root) => root !== undefined);
}

/**
 * Calls `meet` wherever a type is mentioned: fields in the order of their names, arguments before what a
 * field gives. Goes inside a type where `meet` says so; types lead back to themselves.
 */
export function walkTypes(
  roots: readonly ObjectType[],
  meet: (type: NamedType, path: TypePath) => boolean,
): void {
  const waiting: { type: NamedType; path: TypePath }[] = roots
    .map((type) => ({ type, path: { name: type.name, outer: undefined } }))
    .reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { type, path } = next;
    if (!meet(type, path)) continue;
    const inside = mentionedIn(type).map(({ names, ref }) => ({
      type: named(ref),
      path: names.reduce<TypePath>((outer, name) => ({ name, outer }), path),
    }));
    waiting.push(...inside.reverse());
  }
}

interface Mention {
  readonly names: readonly string[];
  readonly ref: TypeRef;
}

function mentionedIn(type: NamedType): Mention[] {
  if (type.kind === 'input')
    return byName(type.fields.values()).map((field) => ({ names: [field.name], ref: field.type }));
  if (type.kind !== 'object') return [];
  return byName(type.fields.values()).flatMap((field): Mention[] => [
    ...byName(field.arguments.values()).map(({ name, type: ref }) => ({ names: [field.name, name], ref })),
    { names: [field.name], ref: field.type },
  ]);
}

function named(type: TypeRef): NamedType {
  return type.kind === 'list' ? named(type.of) : type.type;
}

export function byName<Named extends { readonly name: string }>(items: Iterable<Named>): Named[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
