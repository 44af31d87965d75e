/** The changes made to permissions: each clause of a filter left out, and negated; each column, and each limit. */
import { isMap, isScalar, isSeq, type Pair, parseDocument } from 'yaml';

export type MetadataChange = { line: number; kind: string; before: string; text: string };

const FILTERS = new Set(['filter', 'check']);

/** @param source a table's file; each change is the whole file's new text */
export function changesOfMetadata(source: string): MetadataChange[] {
  const changes: MetadataChange[] = [];
  for (const path of clausesOf(source)) {
    for (const kind of ['clause dropped', 'clause negated']) {
      const document = parseDocument(source);
      const node = document.getIn(path, true);
      const before = JSON.stringify({ [String(path.at(-1))]: document.toJS() && at(document.toJS(), path) });
      if (kind === 'clause dropped') document.deleteIn(path);
      else negate(document, path, node);
      changes.push({ line: lineOf(source, path), kind, before, text: document.toString() });
    }
  }
  return changes;
}

type Path = (string | number)[];

/** The paths of all clauses: items of `_and` and `_or`, columns and relationships under a filter. */
function clausesOf(source: string): Path[] {
  const found: Path[] = [];
  const walk = (node: unknown, path: Path, inFilter: boolean): void => {
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        // A map of one clause is that clause; it is found below.
        if (inFilter && isMap(item) && item.items.length > 1) found.push([...path, index]);
        walk(item, [...path, index], inFilter);
      }
    } else if (isMap(node)) {
      for (const pair of node.items as Pair[]) {
        const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
        const below = inFilter || FILTERS.has(key);
        if (inFilter && (key === '_or' || !key.startsWith('_'))) found.push([...path, key]);
        walk(pair.value, [...path, key], below);
      }
    }
  };
  walk(parseDocument(source).contents, [], false);
  return found;
}

function negate(document: ReturnType<typeof parseDocument>, path: Path, node: unknown): void {
  const key = path.at(-1);
  const value = isScalar(node) ? node.value : node;
  document.deleteIn(path);
  const holder = path.slice(0, -1);
  if (typeof key === 'number') document.setIn(path, { _not: value });
  else document.setIn([...holder, '_not'], document.createNode({ [String(key)]: value }));
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, key) => (typeof inside === 'object' && inside !== null ? Reflect.get(inside, key) : undefined),
    value,
  );
}

function lineOf(source: string, path: Path): number {
  const node: unknown = parseDocument(source).getIn(path, true);
  const range = typeof node === 'object' && node !== null ? Reflect.get(node, 'range') : undefined;
  const start = Array.isArray(range) ? Number(range[0]) : 0;
  return source.slice(0, start).split('\n').length;
}
