/** Longer ones are no claims: session variables travel in the headers of what Hasura calls. */
const LONGEST = 1_000;
const LONGEST_LIST = 10_000;

/**
 * The value of a session variable: a text as it is, a number or a boolean as text, and a list of these as
 * PostgreSQL's array literal, which is what Hasura's `_in` takes. Anything else is empty: objects, lists of
 * lists, what holds control characters (they would end a header) or is too long, and numbers that have
 * lost digits on their way (they could be another's).
 *
 * @example claimText(['a', 'b"c']) // '{"a","b\\"c"}'
 */
export function claimText(value: unknown): string {
  if (!Array.isArray(value)) return scalarText(value) ?? '';
  if (value.length > LONGEST_LIST) return '';
  const elements = value.map(scalarText).filter((text) => text !== undefined);
  const literal = arrayLiteral(elements);
  return elements.length === value.length && literal.length <= LONGEST_LIST ? literal : '';
}

/** PostgreSQL's literal of an array of texts, each in quotes, so that none of them means anything else. */
export function arrayLiteral(elements: readonly string[]): string {
  return `{${elements.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** @returns undefined for what is no value */
function scalarText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.length <= LONGEST && value.isWellFormed() && !/\p{Cc}/u.test(value) ? value : undefined;
    case 'number':
      // Beyond these JSON's whole numbers are rounded to others.
      return Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value))
        ? String(value)
        : undefined;
    case 'boolean':
      return String(value);
    default:
      return undefined;
  }
}
