/** Types as GraphQL writes them, and whether a variable of one may stand where another is expected. */
import type { TypeNode } from 'graphql';
import type { InputField, TypeRef } from './schema.ts';

/** `[String!]!`; a PostgreSQL array is shown as a list of its scalar. */
export function typeText(type: TypeRef): string {
  return `${withoutNull(type)}${type.nullable ? '' : '!'}`;
}

function withoutNull(type: TypeRef): string {
  if (type.kind === 'list') return `[${typeText(type.of)}]`;
  return type.type.kind === 'scalar' && type.type.array ? `[${type.type.name}!]` : type.type.name;
}

/** What an input field's type looks like from outside: an optional one may be left out, so it is nullable. */
export function shownType(field: InputField): TypeRef {
  return field.optional && !field.type.nullable ? { ...field.type, nullable: true } : field.type;
}

interface Shape {
  readonly nullable: boolean;
  readonly list: Shape | undefined;
  readonly name: string | undefined;
}

function shapeOf(type: TypeRef): Shape {
  if (type.kind === 'list') return { nullable: type.nullable, list: shapeOf(type.of), name: undefined };
  const { name } = type.type;
  if (type.type.kind === 'scalar' && type.type.array)
    return { nullable: type.nullable, list: { nullable: false, list: undefined, name }, name: undefined };
  return { nullable: type.nullable, list: undefined, name };
}

function shapeOfNode(node: TypeNode, nullable = true): Shape {
  if (node.kind === 'NonNullType') return shapeOfNode(node.type, false);
  if (node.kind === 'ListType') return { nullable, list: shapeOfNode(node.type), name: undefined };
  return { nullable, list: undefined, name: node.name.value };
}

function fits(location: Shape, variable: Shape, ignoreNull: boolean): boolean {
  if (!ignoreNull && !location.nullable && variable.nullable) return false;
  if (location.list !== undefined)
    return variable.list !== undefined && fits(location.list, variable.list, true);
  return variable.list === undefined && location.name === variable.name;
}

/**
 * The rule of the GraphQL specification (All Variable Usages Are Allowed), as Hasura applies it: the
 * nullability of list items is not compared.
 */
export function isUsageAllowed(
  location: TypeRef,
  locationHasDefault: boolean,
  variable: { readonly type: TypeNode; readonly nullable: boolean; readonly hasDefault: boolean },
): boolean {
  if (!location.nullable && variable.nullable && !locationHasDefault && !variable.hasDefault) return false;
  return fits(shapeOf(location), shapeOfNode(variable.type), true);
}
