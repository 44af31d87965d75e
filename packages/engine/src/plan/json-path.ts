/** The `path` argument of JSON columns: `$.a.b[0]`, `a["odd key"]`, `[1].b`. */

import type { Path } from '#ir/path.ts';
import { invalid } from './errors.ts';

const STEP = /^(?:\.?([\p{L}_][\p{L}\d_-]*)|\.?\[(?:(\d+)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\])/u;

/** The keys and indexes to follow, as text. Throws `validation-failed` for anything else. */
export function parseJsonPath(text: string, path: Path | undefined): string[] {
  if (text === '$') return [];
  const steps: string[] = [];
  let rest = text.startsWith('$') ? text.slice(1) : text;
  do {
    const match = STEP.exec(rest);
    if (match === null)
      throw invalid(
        `parse json path error: ${text}. Accept letters, digits, underscore (_) or hyphen (-) only. Use quotes enclosed in bracket (["..."]) if there is any special character`,
        path,
      );
    const [whole, name, index, double, single] = match;
    steps.push(name ?? index ?? (double ?? single ?? '').replace(/\\(.)/g, '$1'));
    rest = rest.slice(whole.length);
  } while (rest !== '');
  return steps;
}
