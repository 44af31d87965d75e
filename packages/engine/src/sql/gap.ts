/**
 * Gaps in the JSON of an answer, where rows of another source are to go. A gap is a JSON string that
 * begins with a mark no data can hold, the number of its join after it, and then the keys to join by as a
 * JSON object (`k0`, `k1`, …). So an answer is never parsed: what the database wrote stays as it is.
 */
import { randomUUID } from 'node:crypto';
import type { Operand } from '#ir/predicate.ts';
import { TEXT } from '#postgres/pg-type.ts';
import { jsonObject } from './json.ts';
import { writeOperand } from './predicate.ts';
import type { Scope, Writer } from './writer.ts';

/** Made anew for each process: nobody outside gets to see it, since every gap is filled. */
const MARK = randomUUID();

export interface Gap {
  readonly join: number;
  /** JSON text. */
  readonly keys: string;
}

const startOf = (join: number) => `${MARK}${join}:`;

export const keyName = (position: number) => `k${position}`;

/** An expression of a text, or null where one of the keys is. */
export function writeGap(writer: Writer, join: number, keys: readonly Operand[], scope: Scope): string {
  const values = keys.map((key) => writeOperand(writer, key, scope));
  const missing = values.map((value) => `${value} IS NULL`).join(' OR ');
  const start = writer.param({ from: 'value', value: startOf(join) }, TEXT);
  const object = jsonObject(values.map((value, index) => ({ key: keyName(index), value })));
  return `(CASE WHEN ${missing} THEN NULL ELSE ${start} || ${object}::text END)`;
}

/** A gap for an answer that no database writes, as JSON text. */
export function gapText({ join, keys }: Gap): string {
  return JSON.stringify(startOf(join) + keys);
}

/** JSON text taken apart at its gaps. */
export function splitAtGaps(text: string): (string | Gap)[] {
  const opening = `"${MARK}`;
  const pieces: (string | Gap)[] = [];
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

/** The first quote that no odd number of backslashes stands before. */
function closingQuote(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); ; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote;
  }
}
