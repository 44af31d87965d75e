/** The JSONPath subset of Hasura's JWT configuration: `$`, `.name`, `['key']`, `["key"]`, `[n]`. */

export type JsonPath = readonly (string | number)[];

const ELEMENT = /\.?(?:([\p{L}_][\p{L}\d_-]*)|\[(?:(\d+)|'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\])/uy;

/** @returns undefined where the text is not such a path */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text === '$') return [];
  const path: (string | number)[] = [];
  let position = text.startsWith('$') ? 1 : 0;
  while (position < text.length) {
    ELEMENT.lastIndex = position;
    const match = ELEMENT.exec(text);
    if (match === null) return undefined;
    const [, name, index, single, double] = match;
    const quoted = (single ?? double)?.replace(/\\(.)/g, '$1');
    path.push(index === undefined ? (name ?? quoted ?? '') : Number(index));
    position = ELEMENT.lastIndex;
  }
  return path.length === 0 ? undefined : path;
}

/** The value at `path`; undefined where any step does not resolve. */
export function resolveJsonPath(value: unknown, path: JsonPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    if (typeof step === 'number') {
      if (!Array.isArray(current)) return undefined;
      current = current[step];
    } else {
      const entry = Object.entries(current).find(([key]) => key === step);
      if (entry === undefined || Array.isArray(current)) return undefined;
      current = entry[1];
    }
  }
  return current;
}
