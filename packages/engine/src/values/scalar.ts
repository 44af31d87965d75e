/** How a leaf of a client's input is read: as a value the planner needs now, or as a parameter's text. */
import type { ValueNode } from 'graphql';
import type { PgType } from '#postgres/catalog.ts';

/** A value as it was given: written in the query, or JSON from `variables`. */
export type Raw =
  | { readonly kind: 'literal'; readonly node: ValueNode }
  | { readonly kind: 'json'; readonly value: unknown };

/**
 * Reads one JSON value (never null for `parameter`). Numbers of literals come as {@link NumberLiteral} so that no digit
 * is lost. Throws {@link ScalarError}; the caller adds the path.
 */
export type ScalarReader =
  /** The planner needs the value itself: a boolean, a limit, a path. */
  | { readonly kind: 'now'; readonly read: (value: unknown, raw: Raw, describe: () => string) => unknown }
  /** The value as JSON of any shape, for an action's handler. */
  | { readonly kind: 'json'; readonly read: (value: unknown) => unknown }
  /** The value goes into the statement as a parameter, as PostgreSQL's text form of `type`. */
  | { readonly kind: 'parameter'; readonly type: PgType; readonly read: (value: unknown) => string };

declare global {
  // TypeScript does not know it yet.
  interface JSON {
    /** Makes JSON.stringify write the text as it is. @throws {SyntaxError} for what is no JSON scalar */
    rawJSON(text: string): unknown;
  }
}

/** A number as it was written, in a query or in JSON, where a JavaScript number could not hold it. */
export class NumberLiteral {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  toJSON(): unknown {
    return JSON.rawJSON(this.text);
  }
}

/** A value that does not fit its type. */
export class ScalarError extends Error {
  readonly code: 'validation-failed' | 'parse-failed';
  /** Which item of a list it is. */
  readonly index: number | undefined;
  constructor(
    message: string,
    code: 'validation-failed' | 'parse-failed' = 'parse-failed',
    index?: number | undefined,
  ) {
    super(message);
    this.code = code;
    this.index = index;
  }
}
