/**
 * Placeholders in the JSON of an answer, where rows of another source are to go. A placeholder is a JSON string that
 * begins with a mark no data can hold, the number of its join after it, and then the keys to join by as a JSON object
 * (`k0`, `k1`, …). So an answer is never parsed: what the database wrote stays as it is.
 */
import { randomUUID } from 'node:crypto';

/** New for each process, and never seen outside: every placeholder is replaced. */
const MARK = randomUUID();

export interface Placeholder {
  readonly join: number;
  /** JSON text. */
  readonly keys: string;
}

/** How the placeholders of a join begin. */
export const placeholderStart = (join: number) => `${MARK}${join}:`;

/** The name of a key by its position. */
export const keyName = (position: number) => `k${position}`;

/** A placeholder for an answer that no database writes, as JSON text. */
export function placeholderText({ join, keys }: Placeholder): string {
  return JSON.stringify(placeholderStart(join) + keys);
}

/** JSON text split at its placeholders. */
export function splitAtPlaceholders(text: string): (string | Placeholder)[] {
  const opening = `"${MARK}`;
  const pieces: (string | Placeholder)[] = [];
  let end = 0;
  for (let start = text.indexOf(opening); start !== -1; start = text.indexOf(opening, end)) {
    pieces.push(text.slice(end, start));
    end = closingQuote(text, start + opening.length) + 1;
    const content: string = JSON.parse(text.slice(start, end));
    const colon = content.indexOf(':');
    pieces.push({ join: Number(content.slice(MARK.length, colon)), keys: content.slice(colon + 1) });
  }
  pieces.push(text.slice(end));
  return pieces;
}

/** The first quote that is not escaped (preceded by an even number of backslashes). */
function closingQuote(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); ; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote;
  }
}
