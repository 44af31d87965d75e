/**
 * SQL text and its parameters. The only way to put a value into a statement is {@link Params.add}, the
 * only way to put a name into it is {@link ident}: nothing else of a client's or of the metadata may
 * reach the text.
 */
import type { QualifiedName } from '#catalog/types.ts';
import type { RemoteCondition } from '#plan/predicate.ts';

/** A quoted identifier. Throws on a null byte, which PostgreSQL cannot hold. */
export function ident(name: string): string {
  if (name.includes('\0')) throw new TypeError('an identifier cannot hold a null byte');
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted, schema-qualified name. */
export function qualified(name: QualifiedName): string {
  return `${ident(name.schema)}.${ident(name.name)}`;
}

/**
 * A string constant, for what is part of the statement itself: keys of JSON objects, names of functions
 * in messages. Never for values of a client: those are parameters.
 */
export function literal(text: string): string {
  if (text.includes('\0')) throw new TypeError('a constant cannot hold a null byte');
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/**
 * Where a parameter's value comes from when the statement runs.
 * - `value`: known when the plan was made (a literal of the query, a preset, a permission's constant)
 * - `variable`: a GraphQL variable, encoded by `encode` at run time (throws Hasura's error for a bad value)
 * - `session`: one session variable (lower-case name), as text; missing is an error
 * - `session-all`: all session variables as one JSON object
 * - `remote`: keys of rows of another source, which is asked for them before anything is bound
 * - `keys`: what a join between sources looks for, as JSON; known when the other source has answered
 */
export type Param =
  | { readonly from: 'value'; readonly value: string | null }
  | {
      readonly from: 'variable';
      readonly name: string;
      /** The variable's JSON value (never null) to PostgreSQL's text form. */
      readonly encode: (value: unknown) => string | null;
    }
  | { readonly from: 'session'; readonly name: string; readonly encode?: (value: string) => string }
  | { readonly from: 'session-all' }
  /** One array of text: a column's values, row by row. */
  | { readonly from: 'texts'; readonly items: readonly (string | null)[] }
  | { readonly from: 'keys' }
  | { readonly from: 'remote'; readonly condition: RemoteCondition }
  /** Where a streaming subscription goes on from; `initial` at first. */
  | { readonly from: 'cursor'; readonly initial: Param };

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

export const NULL_PARAM: Param = { from: 'value', value: null };
