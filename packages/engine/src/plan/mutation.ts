/** A root field that writes, as a mutation to run. */
import type { SelectionNode } from 'graphql';
import type { Mutation, MutationOutput, ResponseField } from '#ir/mutation.ts';
import type { MutationMeaning } from '#ir/mutation-meaning.ts';
import { at, type Path } from '#ir/path.ts';
import type { ObjectType } from '#ir/schema.ts';
import type { SelectionContext } from './collect-fields.ts';
import { type CheckedField, objectOf, selectFields } from './field.ts';
import { plainRows, planInsertSet } from './mutation-insert.ts';
import { planDelete, planUpdate } from './mutation-update.ts';
import { planRowFields } from './rows.ts';

/** @throws {EngineError} an input or a selection that does not fit */
export function planMutation(
  checked: CheckedField,
  meaning: MutationMeaning,
  context: SelectionContext,
): Mutation {
  if (meaning.kind === 'affected-rows' || meaning.kind === 'returning')
    throw new TypeError(`${meaning.kind} is no root field`);
  const { view, kind } = meaning;
  const given = checked.arguments;
  const argumentPath = at(checked.path, 'args');
  switch (kind) {
    case 'insert':
    case 'insert-one': {
      const insert = planInsertSet(view, given, true);
      return { kind: 'insert', insert, plain: plainRows(given), output: planOutput(checked, context) };
    }
    case 'update':
    case 'update-by-pk':
    case 'update-many':
      return planUpdate(view, given, kind === 'update-many', planOutput(checked, context), argumentPath);
    case 'delete':
    case 'delete-by-pk':
      return planDelete(view, given, planOutput(checked, context));
  }
}

/** Either the row itself or a response with the number of rows and the rows. */
function planOutput(checked: CheckedField, context: SelectionContext): MutationOutput {
  const type = objectOf(checked.field);
  return isResponse(type)
    ? { kind: 'response', fields: planResponse(type, checked.selections, context, checked.path) }
    : { kind: 'row', fields: planRowFields(type, checked.selections, context, checked.path) };
}

function isResponse(type: ObjectType): boolean {
  for (const { meaning } of type.fields.values())
    if (meaning.kind === 'mutation' && meaning.mutation.kind === 'affected-rows') return true;
  return false;
}

function planResponse(
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: SelectionContext,
  path: Path | undefined,
): readonly ResponseField[] {
  const fields: ResponseField[] = [];
  for (const selection of selectFields(type, selections, context, path)) {
    const { alias } = selection;
    if (selection.kind === 'typename') fields.push({ alias, value: { kind: 'text', text: type.name } });
    else fields.push({ alias, value: planAnswer(selection, context) });
  }
  return fields;
}

function planAnswer(checked: CheckedField, context: SelectionContext): ResponseField['value'] {
  const { meaning } = checked.field;
  if (meaning.kind === 'mutation' && meaning.mutation.kind === 'affected-rows')
    return { kind: 'affected-rows' };
  const fields = planRowFields(objectOf(checked.field), checked.selections, context, checked.path);
  return { kind: 'returning', fields };
}
