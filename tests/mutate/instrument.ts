import { parseAst } from 'vitest/node';
import { changesOf, isNode, type Node } from './changes-typescript.ts';
import { type Change, type Mutant, toMutant } from './mutant.ts';

/** A place of the source with its mutants, and the places within it. */
type Place = { start: number; end: number; statement: boolean; mutants: { id: number; after: string }[] };

/** Not code: types, imports, names. */
const SKIPPED =
  /^(ImportDeclaration|ImportExpression|ExportAllDeclaration|TS(?!AsExpression|SatisfiesExpression|NonNullExpression))/;
const LOGS = /^(\w+\.)*(log|logger|console)\.\w+\($/;

/**
 * One TypeScript source with all of its mutants in it, each behind a question to the runtime: which of them is
 * alive is decided while it runs, so nothing is loaded anew for each.
 *
 * @param firstId the first mutant's number
 */
export function instrument(
  source: string,
  file: string,
  firstId: number,
  runtime: string,
): { code: string; mutants: Mutant[] } {
  const mutants: Mutant[] = [];
  const places: Place[] = [];
  const add = (node: Node, changes: Change[]): void => {
    if (changes.length === 0) return;
    const place: Place = {
      start: node.start,
      end: node.end,
      statement: node.type === 'ExpressionStatement',
      mutants: [],
    };
    for (const change of changes) {
      const mutant = toMutant(firstId + mutants.length, file, source, change);
      mutants.push(mutant);
      place.mutants.push({ id: mutant.id, after: change.after });
    }
    places.push(place);
  };
  const walk = (
    node: Node,
    parent: Node | undefined,
    key: string,
    inChain: boolean,
    thrown: boolean,
  ): void => {
    if (SKIPPED.test(node.type)) return;
    // A name of what is called keeps its `this`; a shorthand property is no expression.
    if (node.type === 'Property' && node.shorthand === true) return;
    const chained =
      node.type === 'ChainExpression' ||
      (inChain && (key === 'object' || key === 'callee' || key === 'expression'));
    const isThrown =
      thrown ||
      node.type === 'ThrowStatement' ||
      (node.type === 'NewExpression' && /Error$/.test(textOf(node.callee)));
    const isTarget =
      key === 'left' && parent?.type !== 'LogicalExpression' && parent?.type !== 'BinaryExpression';
    const inChainNow = (chained && node.type !== 'ChainExpression') || key === 'callee' || isTarget;
    const logs = node.type === 'CallExpression' && LOGS.test(`${textOf(node.callee)}(`);
    if (logs) return;
    add(node, changesOf(node, { source, parent, key, inChain: inChainNow, thrown: isThrown }));
    for (const [name, value] of Object.entries(node)) {
      if (
        name === 'typeAnnotation' ||
        name === 'typeArguments' ||
        name === 'returnType' ||
        name === 'typeParameters'
      )
        continue;
      if ((name === 'key' || name === 'property') && node.computed !== true) continue;
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) walk(child, node, name, chained, isThrown);
      }
    }
  };
  const textOf = (node: unknown): string => (isNode(node) ? source.slice(node.start, node.end) : '');
  const program: unknown = parseAst(source, { lang: 'ts' });
  if (isNode(program)) walk(program, undefined, '', false, false);
  const code = `import { mutant as __mutant } from ${JSON.stringify(runtime)}; ${render(source, places)}`;
  return { code, mutants };
}

function render(source: string, places: readonly Place[]): string {
  const sorted = places.toSorted((a, b) => a.start - b.start || b.end - a.end);
  let next = 0;
  const write = (from: number, to: number): string => {
    let [text, at] = ['', from];
    for (let place = sorted[next]; place !== undefined && place.start < to; place = sorted[next]) {
      next += 1;
      text += source.slice(at, place.start) + wrap(place, write(place.start, place.end));
      at = place.end;
    }
    return text + source.slice(at, to);
  };
  return write(0, source.length);
}

function wrap({ statement, mutants }: Place, inner: string): string {
  if (statement) return mutants.map(({ id }) => `if (!__mutant(${id})) { ${inner} }`).join('');
  return `(${mutants.map(({ id, after }) => `__mutant(${id}) ? (${after}) : `).join('')}(${inner}))`;
}
