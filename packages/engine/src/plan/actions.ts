/** A root field of an action as what is to be done. */
import type { SelectionNode } from 'graphql';
import type { ActionMeaning, ActionNode, OutputField, ResultField } from '#ir/actions.ts';
import type { Path } from '#ir/path.ts';
import type { ObjectType } from '#ir/schema.ts';
import { displayName } from '#postgres/catalog.ts';
import { writeArguments } from './action-input.ts';
import type { SelectionContext } from './collect-fields.ts';
import { type CheckedField, namedType, objectOf, selectFields } from './field.ts';
import { planRemoteJoin } from './rows.ts';

/** @throws {EngineError} for a selection that does not fit */
export function planAction(
  checked: CheckedField,
  meaning: ActionMeaning,
  context: SelectionContext,
): ActionNode {
  switch (meaning.kind) {
    case 'call': {
      const input = writeArguments(checked.arguments);
      return { kind: 'call', action: meaning.action, input, fields: planOutput(checked, context) };
    }
    case 'start':
      return { kind: 'start', action: meaning.action, input: writeArguments(checked.arguments) };
    case 'result':
      return {
        kind: 'result',
        action: meaning.action,
        id: idOf(checked),
        fields: planResult(checked, context),
      };
    default:
      throw new TypeError(`${checked.field.name} is no root field`);
  }
}

function idOf(checked: CheckedField): string {
  const input = checked.arguments.get('id')?.value;
  if (input?.kind === 'value' && typeof input.value === 'string') return input.value;
  throw new TypeError('the id of an action is a string');
}

function planResult(checked: CheckedField, context: SelectionContext): ResultField[] {
  const type = namedType(checked.field.type);
  if (type.kind !== 'object') return [];
  const fields: ResultField[] = [];
  for (const selection of selectFields(type, checked.selections, context, checked.path)) {
    const { alias } = selection;
    if (selection.kind === 'typename') fields.push({ alias, value: { kind: 'text', text: type.name } });
    else fields.push({ alias, value: resultValue(selection, context) });
  }
  return fields;
}

function resultValue(checked: CheckedField, context: SelectionContext): ResultField['value'] {
  const { meaning } = checked.field;
  const kind = meaning.kind === 'action' ? meaning.action.kind : undefined;
  switch (kind) {
    case 'result-id':
      return { kind: 'id' };
    case 'result-created-at':
      return { kind: 'created-at' };
    case 'result-errors':
      return { kind: 'errors' };
    case 'result-output':
      return { kind: 'output', fields: planOutput(checked, context) };
    default:
      throw new TypeError(`${checked.field.name} is no part of an action's result`);
  }
}

/** What is selected of the handler's answer; nothing where it is a scalar. */
function planOutput(checked: CheckedField, context: SelectionContext): OutputField[] {
  const type = namedType(checked.field.type);
  return type.kind === 'object' ? planObject(type, checked.selections, context, checked.path) : [];
}

function planObject(
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: SelectionContext,
  path: Path | undefined,
): OutputField[] {
  const fields: OutputField[] = [];
  for (const selection of selectFields(type, selections, context, path)) {
    const { alias } = selection;
    if (selection.kind === 'typename') fields.push({ alias, value: { kind: 'text', text: type.name } });
    else fields.push({ alias, value: outputValue(selection, context) });
  }
  return fields;
}

function outputValue(checked: CheckedField, context: SelectionContext): OutputField['value'] {
  const { name, meaning, type } = checked.field;
  if (meaning.kind !== 'action') throw new TypeError(`${name} is no part of an action's output`);
  const { action } = meaning;
  if (action.kind === 'link') return planLink(checked, action, context);
  return namedType(type).kind === 'object'
    ? {
        kind: 'object',
        name,
        fields: planObject(objectOf(checked.field), checked.selections, context, checked.path),
      }
    : { kind: 'scalar', name };
}

function planLink(
  checked: CheckedField,
  { link, selects, view }: Extract<ActionMeaning, { kind: 'link' }>,
  context: SelectionContext,
): OutputField['value'] {
  const columns = link.mapping.map(([, name]) => {
    const column = view.table.columnByName.get(name);
    if (column === undefined) throw new TypeError(`${displayName(link.target)} has no column ${name}`);
    return column;
  });
  const join = planRemoteJoin({ view, columns, selects }, checked, context);
  return { kind: 'link', join, keys: link.mapping.map(([field]) => field) };
}
