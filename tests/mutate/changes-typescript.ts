/**
 * The changes made to TypeScript: operators, conditions, clauses, calls of methods, statements, constants.
 * Left alone is what the compiler would notice (types, imports, `case` labels, discriminants) and the texts of
 * errors that are thrown.
 */
import type { Change } from './mutant.ts';

/** A node of the ESTree that Vitest's parser makes, as far as is looked at. */
export type Node = { type: string; start: number; end: number; [key: string]: unknown };

type Context = {
  source: string;
  parent: Node | undefined;
  /** The key of `parent` under which the node is. */
  key: string;
  /** Its parts may be changed, but no parenthesis may stand around it: it is within `a?.b.c`. */
  inChain: boolean;
  /** It is within the argument of `throw`. */
  thrown: boolean;
};

const EQUALITY: Record<string, string> = { '===': '!==', '!==': '===', '==': '!=', '!=': '==' };
const ORDER: Record<string, string[]> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
};
const ARITHMETIC: Record<string, string> = { '+': '-', '-': '+', '*': '/', '/': '*', '%': '*' };
const SWAPPED = new Map([
  ['every', 'some'],
  ['some', 'every'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['min', 'max'],
  ['max', 'min'],
]);
/** Without the call, the value itself. */
const DROPPED = new Set(
  'filter slice trim toLowerCase toUpperCase toSorted toReversed sort reverse replace replaceAll'.split(' '),
);
const LOOPS = new Set(['WhileStatement', 'ForStatement', 'DoWhileStatement']);

/** What may be done to this node alone, its parts apart. */
export function changesOf(node: Node, context: Context): Change[] {
  const { source, parent, key } = context;
  const at = (part: unknown): string => (isNode(part) ? source.slice(part.start, part.end) : '');
  const change = (kind: string, after: string): Change => ({ start: node.start, end: node.end, kind, after });
  const inLoop = parent !== undefined && LOOPS.has(parent.type) && key === 'test';
  const made: Change[] = [];
  if (key === 'test' && (parent?.type === 'IfStatement' || parent?.type === 'ConditionalExpression')) {
    made.push(change('condition', 'true'), change('condition', 'false'));
  } else if (inLoop) made.push(change('condition', 'false'));
  switch (node.type) {
    case 'LogicalExpression': {
      const [left, right, operator] = [at(node.left), at(node.right), String(node.operator)];
      made.push(change('clause dropped', left), change('clause dropped', right));
      if (operator !== '??') {
        made.push(change('and/or', `(${left}) ${operator === '&&' ? '||' : '&&'} (${right})`));
      }
      break;
    }
    case 'BinaryExpression': {
      const operator = String(node.operator);
      const others = [EQUALITY[operator] ?? [], ORDER[operator]?.slice(0, inLoop ? 1 : 2) ?? []].flat();
      for (const other of others)
        made.push(change('comparison', `${at(node.left)} ${other} ${at(node.right)}`));
      const opposite = ARITHMETIC[operator];
      const joinsText = operator === '+' && /['"`]/.test(at(node));
      if (opposite !== undefined && !joinsText) {
        made.push(change('arithmetic', `${at(node.left)} ${opposite} (${at(node.right)})`));
      }
      break;
    }
    case 'UnaryExpression':
      if (node.operator === '!') made.push(change('negation', at(node.argument)));
      break;
    case 'CallExpression':
      made.push(...ofCall(node, at, change));
      break;
    case 'ArrayExpression':
      made.push(...ofList(node, context, change));
      break;
    case 'ObjectExpression':
      made.push(...ofSpreads(node, context, change));
      break;
    case 'Literal':
      made.push(...ofLiteral(node, context, change));
      break;
    case 'TemplateLiteral':
      if (!context.thrown && parent?.type !== 'TaggedTemplateExpression') made.push(change('text', '``'));
      break;
    case 'ExpressionStatement':
      if (isNode(node.expression) && !/^Literal$/.test(node.expression.type)) {
        made.push(change('statement removed', ''));
      }
      break;
  }
  return context.inChain ? [] : made;
}

function ofCall(node: Node, at: (part: unknown) => string, change: (kind: string, after: string) => Change) {
  const { callee } = node;
  if (!isNode(callee) || callee.type !== 'MemberExpression' || callee.computed === true) return [];
  const [name, object] = [at(callee.property), at(callee.object)];
  if (DROPPED.has(name)) return [change(`.${name} dropped`, object)];
  const other = SWAPPED.get(name);
  if (other === undefined) return [];
  const given = Array.isArray(node.arguments) ? node.arguments.map(at).join(', ') : '';
  return [change(`.${name}`, `${object}.${other}(${given})`)];
}

/** Each element of a list left out; all of them. */
function ofList(node: Node, { source, parent }: Context, change: (kind: string, after: string) => Change) {
  const elements = Array.isArray(node.elements) ? node.elements.filter(isNode) : [];
  // A pair of a Map or of Object.fromEntries is no list.
  if (elements.length === 0 || parent?.type === 'ArrayExpression') return [];
  const texts = elements.map(({ start, end }) => source.slice(start, end));
  if (texts.length === 1) return [change('list emptied', '[]')];
  return texts.map((_, index) => change('element dropped', `[${texts.toSpliced(index, 1).join(', ')}]`));
}

/** Each `...part` of an object left out. */
function ofSpreads(node: Node, { source }: Context, change: (kind: string, after: string) => Change) {
  const properties = Array.isArray(node.properties) ? node.properties.filter(isNode) : [];
  const texts = properties.map(({ start, end }) => source.slice(start, end));
  return properties.flatMap(({ type }, index) =>
    type === 'SpreadElement' ? [change('spread dropped', `{ ${texts.toSpliced(index, 1).join(', ')} }`)] : [],
  );
}

function ofLiteral(node: Node, context: Context, change: (kind: string, after: string) => Change): Change[] {
  const { parent, key, thrown, source } = context;
  const { value, regex } = node;
  if (typeof regex === 'object' && regex !== null && 'flags' in regex && 'pattern' in regex) {
    const { flags, pattern } = regex;
    const anchors = [String(pattern).replace(/^\^/, ''), String(pattern).replace(/(?<!\\)\$$/, '')];
    return [
      ...[...String(flags)]
        .filter((flag) => flag === 'i')
        .map(() => change('flag', `/${pattern}/${String(flags).replace('i', '')}`)),
      ...anchors.filter((other) => other !== pattern).map((other) => change('anchor', `/${other}/${flags}`)),
    ];
  }
  if (typeof value === 'boolean') return [change('constant', String(!value))];
  if (typeof value === 'number') return [change('constant', `(${source.slice(node.start, node.end)} + 1)`)];
  if (typeof value !== 'string' || thrown) return [];
  const compared = parent?.type === 'BinaryExpression' || parent?.type === 'SwitchCase';
  const name =
    parent?.type === 'Property' && isNode(parent.key) ? source.slice(parent.key.start, parent.key.end) : '';
  if (compared || key === 'key' || key === 'directive' || /^(kind|code|type|of)$/.test(name)) return [];
  return [change('text', value === '' ? "'mutated'" : "''")];
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
