/** GraphQL types as the metadata write them. */
import { Kind, parseType, type TypeNode } from '#base/graphql.ts';
import type { TypeShape } from '#ir/actions.ts';
import type { NamedType, TypeRef } from '#ir/schema.ts';

/** Undefined for what is no type. */
export function readType(text: string): TypeShape | undefined {
  try {
    return shapeOf(parseType(text, { noLocation: true }), true);
  } catch {
    return undefined;
  }
}

function shapeOf(node: TypeNode, nullable: boolean): TypeShape {
  switch (node.kind) {
    case Kind.NON_NULL_TYPE:
      return shapeOf(node.type, false);
    case Kind.LIST_TYPE:
      return { kind: 'list', of: shapeOf(node.type, true), nullable };
    case Kind.NAMED_TYPE:
      return { kind: 'named', name: node.name.value, nullable };
  }
}

/** The name inside of all lists. */
export function baseName(shape: TypeShape): string {
  return shape.kind === 'named' ? shape.name : baseName(shape.of);
}

export function toRef(shape: TypeShape, type: NamedType): TypeRef {
  return shape.kind === 'named'
    ? { kind: 'named', type, nullable: shape.nullable }
    : { kind: 'list', of: toRef(shape.of, type), nullable: shape.nullable };
}
