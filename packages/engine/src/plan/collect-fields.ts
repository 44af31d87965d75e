/**
 * A selection set as the fields it comes down to: fragments flattened, `@include` and `@skip` applied,
 * equal response names merged.
 */
import type {
  DirectiveNode,
  FieldNode,
  FragmentDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { print } from '#base/graphql.ts';
import { at, type Path } from '#ir/path.ts';
import type { RemoteJoin } from '#ir/select.ts';
import { DIRECTIVES } from '#schema/introspection-types.ts';
import type { Raw } from '#values/scalar.ts';
import type { Variables } from '#values/variables.ts';
import { coerceFields } from './coerce.ts';
import { invalid, unparsable } from './errors.ts';

/** Merged occurrences of one response name. */
export interface SelectedField {
  readonly alias: string;
  readonly name: string;
  readonly node: FieldNode;
  readonly selections: readonly SelectionNode[];
}

export interface SelectionContext {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Variables;
  readonly budget: Budget;
  /** Those planned so far, by number. */
  readonly remoteJoins: RemoteJoin[];
}

/** How much may still be selected: fragments can multiply a short text without limit. */
export interface Budget {
  fields: number;
  /** Selections visited: those that repeat a field select nothing more, but take time. */
  visits: number;
}

const MAX_FIELDS = 10_000;
const MAX_VISITS = 100_000;

export const createBudget = (): Budget => ({ fields: MAX_FIELDS, visits: MAX_VISITS });

/** In the order of the selection. `path` leads to the selection set. */
export function collectFields(
  selections: readonly SelectionNode[],
  typeName: string,
  context: SelectionContext,
  path: Path | undefined,
): SelectedField[] {
  const fields = new Map<string, { name: string; node: FieldNode; selections: SelectionNode[] }>();
  const spread = new Set<string>();

  const visit = (selection: SelectionNode): void => {
    context.budget.visits -= 1;
    if (context.budget.visits < 0)
      throw invalid('the query repeats its selections too often; ask for less at a time', undefined);
    switch (selection.kind) {
      case 'Field':
        if (isIncluded(selection.directives, 'FIELD', context, path)) add(selection);
        return;
      case 'InlineFragment': {
        if (!isIncluded(selection.directives, 'INLINE_FRAGMENT', context, path)) return;
        const condition = selection.typeCondition?.name.value;
        if (condition === undefined || condition === typeName)
          selection.selectionSet.selections.forEach(visit);
        return;
      }
      case 'FragmentSpread': {
        const name = selection.name.value;
        const fragment = context.fragments.get(name);
        if (fragment === undefined) throw invalid(`reference to undefined fragment "${name}"`, path);
        if (!isIncluded(selection.directives, 'INLINE_FRAGMENT', context, path)) return;
        // A second spread would only repeat the first: merging makes no difference.
        if (spread.has(name)) return;
        spread.add(name);
        if (fragment.typeCondition.name.value === typeName) fragment.selectionSet.selections.forEach(visit);
        return;
      }
    }
  };

  const add = (node: FieldNode): void => {
    const name = node.name.value;
    const alias = node.alias?.value ?? name;
    const known = fields.get(alias);
    const selections = node.selectionSet?.selections ?? [];
    if (known === undefined) {
      fields.set(alias, { name, node, selections: [...selections] });
      return;
    }
    if (known.name !== name)
      throw invalid(
        `selection of both '${known.name}' and '${name}' specify the same response name, '${alias}'`,
        path,
      );
    if (!haveSameArguments(known.node, node))
      throw invalid(`inconsistent arguments between multiple selections of field '${name}'`, path);
    known.selections.push(...selections);
  };

  selections.forEach(visit);
  context.budget.fields -= fields.size;
  if (context.budget.fields < 0)
    throw invalid(`more than ${MAX_FIELDS} fields are selected; ask for less at a time`, undefined);
  return Array.from(fields, ([alias, field]) => ({ alias, ...field }));
}

/** Each field's once: a fragment brings the same fields again and again. */
const writtenArguments = new WeakMap<FieldNode, string>();

function writeArguments(node: FieldNode): string {
  const known = writtenArguments.get(node);
  if (known !== undefined) return known;
  const written = (node.arguments ?? []).map(print).toSorted().join(',');
  writtenArguments.set(node, written);
  return written;
}

function haveSameArguments(a: FieldNode, b: FieldNode): boolean {
  return a === b || writeArguments(a) === writeArguments(b);
}

const LOCATIONS: Readonly<Record<string, string>> = {
  QUERY: 'a query',
  MUTATION: 'a mutation',
  SUBSCRIPTION: 'a subscription',
  FIELD: 'a field',
  INLINE_FRAGMENT: 'an inline fragment',
};

function isIncluded(
  directives: readonly DirectiveNode[] | undefined,
  location: string,
  context: SelectionContext,
  path: Path | undefined,
): boolean {
  if (directives === undefined || directives.length === 0) return true;
  const found = readDirectives(directives, location, context.variables, path);
  return (
    (found.get('include')?.get('if') ?? true) === true && (found.get('skip')?.get('if') ?? false) === false
  );
}

/** The values of directives' arguments, by directive. Unknown, misplaced and repeated ones are errors. */
export function readDirectives(
  directives: readonly DirectiveNode[],
  location: string,
  variables: Variables,
  path: Path | undefined,
): ReadonlyMap<string, ReadonlyMap<string, unknown>> {
  const found = new Map<string, ReadonlyMap<string, unknown>>();
  const repeated = new Set<string>();
  for (const node of directives) {
    const name = node.name.value;
    const directive = DIRECTIVES.find((known) => known.name === name);
    if (directive === undefined) throw invalid(`directive '${name}' is not defined in the schema`, path);
    if (!directive.locations.includes(location))
      throw invalid(`directive '${name}' is not allowed on ${LOCATIONS[location] ?? location}`, path);
    const given = new Map<string, Raw>();
    for (const argument of node.arguments ?? []) {
      if (!directive.arguments.has(argument.name.value))
        throw invalid(`'${name}' has no argument named '${argument.name.value}'`, at(path, name));
      given.set(argument.name.value, { kind: 'literal', node: argument.value });
    }
    const values = coerceFields(directive.arguments, given, variables, at(path, name, 'args'));
    if (found.has(name)) repeated.add(name);
    found.set(
      name,
      new Map(
        values.map(({ field, value }) => [field.name, value.kind === 'value' ? value.value : undefined]),
      ),
    );
  }
  if (repeated.size > 0)
    throw invalid(
      `the following directives are used more than once: [${[...repeated].map((name) => `'${name}'`).join(', ')}]`,
      path,
    );
  return found;
}

/** Throws for fragments that are undefined, defined twice or reach themselves. */
export function checkFragments(
  root: SelectionSetNode,
  definitions: readonly FragmentDefinitionNode[],
): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const fragment of definitions) {
    const name = fragment.name.value;
    if (fragments.has(name)) throw unparsable(`multiple definitions for fragment "${name}"`, undefined);
    fragments.set(name, fragment);
  }
  const sound = new Set<string>();
  const visit = (set: SelectionSetNode, stack: readonly string[], path: Path | undefined): void => {
    for (const selection of set.selections) {
      if (selection.kind === 'InlineFragment') {
        visit(selection.selectionSet, stack, path);
      } else if (selection.kind === 'Field') {
        if (selection.selectionSet !== undefined)
          visit(selection.selectionSet, stack, at(path, 'selectionSet', selection.name.value));
      } else {
        const name = selection.name.value;
        const inside = at(path, 'selectionSet');
        if (sound.has(name)) continue;
        const start = stack.indexOf(name);
        if (start !== -1) {
          const cycle = [...stack.slice(start)];
          throw invalid(`the fragment definition(s) ${englishList(cycle)} form a cycle`, inside);
        }
        const fragment = fragments.get(name);
        if (fragment === undefined) throw invalid(`reference to undefined fragment "${name}"`, inside);
        visit(fragment.selectionSet, [...stack, name], at(inside, name));
        sound.add(name);
      }
    }
  };
  visit(root, [], undefined);
  return fragments;
}

function englishList(items: readonly string[]): string {
  if (items.length <= 1) return items.join('');
  if (items.length === 2) return items.join(' and ');
  return `${items.slice(0, -1).join(', ')}, and ${items.at(-1) ?? ''}`;
}
