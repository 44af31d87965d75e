/** One selected field against its type: that it exists, that its arguments fit, that it has a selection. */

import type { FieldNode, SelectionNode } from 'graphql';
import { hashOrder } from '#base/hash-order.ts';
import type { Arguments } from '#ir/input.ts';
import { at, type Path } from '#ir/path.ts';
import type { ObjectType, OutputField, TypeRef } from '#ir/schema.ts';
import type { Raw } from '#values/scalar.ts';
import { coerceFields, toArguments } from './coerce.ts';
import { collectFields, type SelectedField, type SelectionContext } from './collect-fields.ts';
import { invalid, MAX_LEVELS, tooDeep } from './errors.ts';

/** A field that exists, with its arguments checked. `path` leads to the field. */
export interface CheckedField {
  readonly alias: string;
  readonly field: OutputField;
  readonly arguments: Arguments;
  readonly selections: readonly SelectionNode[];
  /** Its first occurrence; all have the same arguments. */
  readonly node: FieldNode;
  readonly path: Path | undefined;
}

/** Either `__typename`, or a field of the type. */
export type Selection =
  | { readonly kind: 'typename'; readonly alias: string }
  | ({ readonly kind: 'field' } & CheckedField);

/**
 * The fields selected of `type`, each checked (arguments before the selections below) when it is looked
 * at, so that errors come in the order of the query. `path` leads to the object.
 */
export function* selectFields(
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: SelectionContext,
  path: Path | undefined,
): Generator<Selection> {
  const inside = at(path, 'selectionSet');
  // Two keys for each level. PostgreSQL takes seconds to plan a thousand levels, and then gives up.
  if (inside !== undefined && inside.length > 2 * MAX_LEVELS) throw tooDeep();
  if (selections.length === 0) throw invalid(`missing selection set for '${type.name}'`, inside);
  for (const selected of collectFields(selections, type.name, context, inside)) {
    if (selected.name === '__typename') {
      yield { kind: 'typename', alias: selected.alias };
      continue;
    }
    const here = at(inside, selected.name);
    const field = type.fields.get(selected.name);
    if (field === undefined)
      throw invalid(`field '${selected.name}' not found in type: '${type.name}'`, here);
    yield { kind: 'field', ...checkField(field, selected, context, here) };
  }
}

function checkField(
  field: OutputField,
  selected: SelectedField,
  context: SelectionContext,
  path: Path | undefined,
): CheckedField {
  if (namedType(field.type).kind !== 'object' && selected.selections.length > 0)
    throw invalid('unexpected subselection set for non-object field', path);
  const given = new Map<string, Raw>();
  const fields = field.arguments;
  const named = selected.node.arguments ?? [];
  const names = named.map((argument) => argument.name.value);
  const [unknown] = hashOrder(
    names.filter((name) => !fields.has(name)),
    (name) => name,
  );
  if (unknown !== undefined) throw invalid(`'${field.name}' has no argument named '${unknown}'`, path);
  for (const argument of named) {
    given.set(argument.name.value, { kind: 'literal', node: argument.value });
  }
  const values = coerceFields(fields, given, context.variables, at(path, 'args'));
  return {
    alias: selected.alias,
    field,
    arguments: toArguments(values),
    selections: selected.selections,
    node: selected.node,
    path,
  };
}

export function namedType(type: TypeRef) {
  let inner = type;
  while (inner.kind === 'list') inner = inner.of;
  return inner.type;
}

/** The object type behind a field that has a selection. */
export function objectOf(field: OutputField): ObjectType {
  const type = namedType(field.type);
  if (type.kind !== 'object') throw new TypeError(`${field.name} is no object`);
  return type;
}
