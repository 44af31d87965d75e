/** What is wrong with a stored query, told without its variables' values: Hasura's static analysis. */

import { EngineError } from '#base/errors.ts';
import { Kind, type OperationDefinitionNode, type SelectionNode, type TypeNode } from '#base/graphql.ts';
import type { NamedType, ObjectType, OutputField, RoleSchema } from '#ir/schema.ts';
import { typeText } from '#ir/type-text.ts';
import { allTypes } from '#schema/shown-types.ts';
import { type ParsedOperation, parseDocument, pickOperation } from './document.ts';
import { namedType } from './field.ts';

/** @returns one sentence per fault, the last found first; none for a query that the schema can answer */
export function diagnose(query: string, schema: RoleSchema): readonly string[] {
  const parsed = read(query);
  if (typeof parsed === 'string') return [parsed];
  const { operation, variableDefinitions: variables } = parsed.definition;
  const faults: string[] = [];
  const root = schema[operation];
  if (root === undefined) faults.push(`$: type '${operation}_root' not found in the schema`);
  else diagnoseObject(root, parsed.definition.selectionSet.selections, '$', parsed, faults);
  faults.push(...diagnoseVariables(variables ?? [], schema));
  return faults.reverse();
}

function read(query: string): ParsedOperation | string {
  try {
    return pickOperation(parseDocument(query), undefined, query);
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
}

/** The type of each answer by its alias, with what is below it. */
type Shape = Map<string, { readonly type: string; readonly below: Shape }>;

function diagnoseObject(
  type: ObjectType,
  selections: readonly SelectionNode[],
  path: string,
  operation: ParsedOperation,
  faults: string[],
): Shape {
  const shape: Shape = new Map();
  for (const selection of selections) {
    if (selection.kind !== Kind.FIELD) {
      const inner =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection.selectionSet
          : operation.fragments.get(selection.name.value)?.selectionSet;
      const found = diagnoseObject(type, inner?.selections ?? [], path, operation, faults);
      merge(shape, found, path, faults);
      continue;
    }
    const name = selection.name.value;
    // `__typename`, `__schema` and `__type` are no fields of the schema.
    if (name.startsWith('__')) continue;
    const field = type.fields.get(name);
    const below = `${path}.${name}`;
    if (field === undefined) {
      faults.push(`${below}: field '${name}' not found in object '${type.name}'`);
      continue;
    }
    const inner = diagnoseField(field, selection.selectionSet?.selections, below, operation, faults);
    if (inner === undefined) continue;
    const alias = selection.alias?.value ?? name;
    merge(shape, new Map([[alias, { type: typeText(field.type), below: inner }]]), path, faults);
  }
  return shape;
}

function diagnoseField(
  { type }: OutputField,
  selections: readonly SelectionNode[] | undefined,
  path: string,
  operation: ParsedOperation,
  faults: string[],
): Shape | undefined {
  const named = namedType(type);
  if (named.kind === 'object') {
    if (selections !== undefined) return diagnoseObject(named, selections, path, operation, faults);
    faults.push(`${path}: object of type '${named.name}' must have a selection set`);
    return undefined;
  }
  if (selections === undefined) return new Map();
  faults.push(`${path}: ${named.kind} '${named.name}' does not accept a selection set`);
  return undefined;
}

function merge(into: Shape, found: Shape, path: string, faults: string[]): void {
  for (const [alias, answer] of found) {
    const known = into.get(alias);
    if (known === undefined) into.set(alias, answer);
    else if (known.type === answer.type) merge(known.below, answer.below, path, faults);
    else
      faults.push(
        `${path}: field '${alias}' seen with two different types: ${known.type} and ${answer.type}`,
      );
  }
}

function diagnoseVariables(
  variables: NonNullable<OperationDefinitionNode['variableDefinitions']>,
  schema: RoleSchema,
): string[] {
  if (variables.length === 0) return [];
  const types = allTypes(schema);
  return variables.flatMap(({ variable, type }) => {
    const name = baseName(type);
    const path = `$.${variable.name.value}`;
    const found: NamedType | undefined = types.get(name);
    if (found === undefined) return [`${path}: type '${name}' not found in the schema`];
    return found.kind === 'object' ? [`${path}: object '${name}' cannot be used in an input type`] : [];
  });
}

function baseName(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : baseName(type.type);
}
