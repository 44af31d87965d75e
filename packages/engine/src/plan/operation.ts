/** An operation as the tree of what it asks of the databases. */
import type { SelectionNode } from 'graphql';
import { EngineError } from '#base/errors.ts';
import type { RootField, RootNode } from '#ir/operation.ts';
import type { Path } from '#ir/path.ts';
import { all, type Operand, type Predicate } from '#ir/predicate.ts';
import type { ObjectType, RoleSchema } from '#ir/schema.ts';
import type { RemoteJoin, Source } from '#ir/select.ts';
import type { Variables } from '#values/variables.ts';
import { planAction } from './actions.ts';
import { createBudget, readDirectives, type SelectionContext } from './collect-fields.ts';
import type { ParsedOperation } from './document.ts';
import { type CheckedField, objectOf, selectFields } from './field.ts';
import { planFunctionCall } from './function-call.ts';
import { introspect } from './introspect.ts';
import { planMutation } from './mutation.ts';
import { planAggregate, planRows, planSingle } from './rows.ts';
import { planStream } from './stream.ts';
import { planValidations } from './validation.ts';

export interface OperationPlan {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly name: string | undefined;
  readonly fields: readonly RootField[];
  /** By number. */
  readonly remoteJoins: readonly RemoteJoin[];
}

/** @throws {EngineError} for anything that does not fit the role's schema */
export function planOperation(
  schema: RoleSchema,
  { definition, fragments }: ParsedOperation,
  variables: Variables,
): OperationPlan {
  const kind = definition.operation;
  const root = kind === 'query' ? schema.query : schema[kind];
  if (root === undefined) throw new EngineError('validation-failed', `no ${kind}s exist`);
  const remoteJoins: RemoteJoin[] = [];
  const budget = createBudget();
  const context: RootContext = { fragments, variables, schema, kind, budget, remoteJoins };
  const fields = planRoot(root, definition.selectionSet.selections, context, undefined);
  const directives = readDirectives(definition.directives ?? [], kind.toUpperCase(), variables, undefined);
  if (kind === 'subscription') {
    checkSubscribed(fields, directives.has('_multiple_top_level_fields'));
    if (remoteJoins.length > 0)
      throw new EngineError('not-supported', 'Remote relationships are not allowed in subscriptions');
  }
  return { kind, name: definition.name?.value, fields, remoteJoins };
}

/** @throws {EngineError} for what cannot be subscribed to; nothing at all (`@include(if: false)`) can be */
function checkSubscribed(fields: readonly RootField[], allowsSeveral: boolean): void {
  if (fields.length > 0 && !isOneField(fields, allowsSeveral))
    throw new EngineError('validation-failed', 'subscriptions must select one top level field');
  if (fields.some(({ node }) => node.kind === 'json'))
    throw new EngineError('not-supported', 'Introspection not supported over subscriptions');
}

/** One field; or several, where the client insists, of one namespace at most. */
function isOneField(fields: readonly RootField[], allowsSeveral: boolean): boolean {
  const namespaces = fields.flatMap(({ alias, node }) =>
    node.kind === 'namespace' ? node.fields.map(() => alias) : [undefined],
  );
  if (namespaces.length === 1) return true;
  return allowsSeveral && new Set(namespaces).size === 1;
}

interface RootContext extends SelectionContext {
  readonly schema: RoleSchema;
  readonly kind: OperationPlan['kind'];
}

function planRoot(
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: RootContext,
  path: Path | undefined,
): RootField[] {
  const fields: RootField[] = [];
  for (const selection of selectFields(type, selections, context, path)) {
    const node: RootNode =
      selection.kind === 'typename'
        ? { kind: 'json', json: JSON.stringify(type.name) }
        : planRootNode(selection, context);
    fields.push({ alias: selection.alias, node });
  }
  return fields;
}

function planRootNode(checked: CheckedField, context: RootContext): RootNode {
  const { meaning } = checked.field;
  switch (meaning.kind) {
    case 'json':
      return { kind: 'json', json: meaning.json };
    case 'introspection':
      return { kind: 'json', json: introspect(checked, context.schema, context) };
    case 'namespace':
      return {
        kind: 'namespace',
        fields: planRoot(objectOf(checked.field), checked.selections, context, checked.path),
      };
    case 'select': {
      const { view } = meaning;
      const rows = planRows(tableSource(view.table.name), view, checked, context);
      return { kind: 'rows', source: view.table.source, rows, single: false };
    }
    case 'select-by-pk': {
      const { view } = meaning;
      const where = all([view.access.filter, ...planKey(checked)]);
      const rows = planSingle(tableSource(view.table.name), where, checked, context);
      return { kind: 'rows', source: view.table.source, rows, single: true };
    }
    case 'select-aggregate': {
      const { view } = meaning;
      const node = planAggregate(tableSource(view.table.name), view, checked, context);
      return { kind: 'aggregate', source: view.table.source, node };
    }
    case 'select-stream':
      return planStream(meaning.view, checked, context);
    case 'function': {
      const { function: fn, view } = meaning;
      const from: Source = { kind: 'function', call: planFunctionCall(fn.function, checked) };
      if (meaning.aggregate)
        return { kind: 'aggregate', source: fn.source, node: planAggregate(from, view, checked, context) };
      const rows = planRows(from, view, checked, context);
      return { kind: 'rows', source: fn.source, rows, single: !fn.function.catalog.returnsSet };
    }
    case 'mutation': {
      const { mutation } = meaning;
      if (!('view' in mutation)) throw new TypeError(`${checked.field.name} is no root field`);
      return {
        kind: 'mutation',
        source: mutation.view.table.source,
        mutation: planMutation(checked, mutation, context),
        validations: planValidations(checked, mutation, context.variables),
      };
    }
    case 'action':
      return { kind: 'action', action: planAction(checked, meaning.action, context) };
    default:
      throw new TypeError(`${checked.field.name} is no root field`);
  }
}

function tableSource(table: Extract<Source, { kind: 'table' }>['table']): Source {
  return { kind: 'table', table };
}

/** The primary key's columns as arguments. */
function planKey(checked: CheckedField): Predicate[] {
  return [...checked.arguments.values()].flatMap(({ field, value }): Predicate[] => {
    if (field.meaning.kind !== 'column' || value.kind !== 'param') return [];
    const { column } = field.meaning;
    const left: Operand = { kind: 'column', column: column.name };
    return [
      {
        kind: 'compare',
        left,
        operator: '=',
        right: { kind: 'param', param: value.param, type: column.type },
      },
    ];
  });
}
