/** A Kriti template, parsed: JSON with `{{ … }}` in places where values may stand. */

export type Node =
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly fields: readonly (readonly [key: string, value: Node])[] }
  /** A string with values in it; the parts are joined as text. */
  | { readonly kind: 'text'; readonly parts: readonly Node[] }
  | { readonly kind: 'variable'; readonly name: string }
  /** `of.key`, `of[key]`; with `optional` (`of?.key`) what is not there is null. */
  | { readonly kind: 'member'; readonly of: Node; readonly key: Node; readonly optional: boolean }
  | { readonly kind: 'call'; readonly name: string; readonly argument: Node }
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

/** A template that is not well formed, or fails on the value at hand. */
export class KritiError extends Error {
  override readonly name = 'KritiError';
}
