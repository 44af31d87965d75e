/** A Kriti template, parsed: JSON with `{{ … }}` in places where values may stand. */

export type Node =
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly fields: readonly (readonly [key: string, value: Node])[] }
  /** A string with values in it; the parts are joined as text. */
  | { readonly kind: 'text'; readonly parts: readonly Node[] }
  | { readonly kind: 'variable'; readonly name: string; readonly span: Span }
  /** `of.key`, `of[key]`; with `optional` (`of?.key`) what is not there is null. */
  | {
      readonly kind: 'member';
      readonly of: Node;
      readonly key: Node;
      readonly optional: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly argument: Node;
      readonly span: Span;
      readonly argumentSpan: Span;
    }
  | { readonly kind: 'operator'; readonly operator: Operator; readonly left: Node; readonly right: Node }
  | { readonly kind: 'if'; readonly condition: Node; readonly then: Node; readonly otherwise: Node }
  | {
      readonly kind: 'range';
      readonly index: string | undefined;
      readonly item: string;
      readonly over: Node;
      readonly body: Node;
    };

export type Operator = '??' | '||' | '&&' | 'in' | '==' | '!=' | '<=' | '>=' | '<' | '>';

/** Where in the template: lines from 0, columns from 1, the end exclusive, as Hasura tells it. */
export interface Span {
  readonly start_line: number;
  readonly start_column: number;
  readonly end_line: number;
  readonly end_column: number;
}

export type KritiErrorCode =
  | 'Parse Error'
  | 'Name Error'
  | 'Attribute Error'
  | 'Function Error'
  | 'Type Error';

/** A template that is not well formed, or fails on the given value. */
export class KritiError extends Error {
  override readonly name = 'KritiError';
  readonly code: KritiErrorCode;
  readonly span: Span | undefined;
  constructor(code: KritiErrorCode, message: string, span?: Span) {
    super(message);
    this.code = code;
    this.span = span;
  }
}
