/**
 * The parameters of a statement. The only way to put a value into SQL text is {@link Params.add}; names and
 * constants are quoted by `postgres/quote.ts`.
 */
import type { Param } from '#ir/predicate.ts';

/** The parameters of one statement, in order of appearance; equal session variables share a place. */
export interface Params {
  readonly list: readonly Param[];
  /** Adds a parameter and returns its place in the text, such as `$3`. */
  add(param: Param): string;
}

/** What a statement needs to run: text, and parameters to be bound by the execution. */
export interface Statement {
  readonly text: string;
  readonly params: readonly Param[];
}

/**
 * @param place writes a parameter into the text; `$n` unless a multiplexed subscription reads them
 *   from the rows it is joined with
 */
export function createParams(
  place: (index: number, param: Param) => string = (index) => `$${index + 1}`,
): Params {
  const list: Param[] = [];
  const session = new Map<string, string>();
  return {
    list,
    add(param) {
      const key =
        param.from === 'session-all'
          ? 'all'
          : param.from === 'session' && param.encode === undefined
            ? `one:${param.name}`
            : undefined;
      const known = key === undefined ? undefined : session.get(key);
      if (known !== undefined) return known;
      const text = place(list.length, param);
      list.push(param);
      if (key !== undefined) session.set(key, text);
      return text;
    },
  };
}
