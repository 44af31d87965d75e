import type { Operand } from '#ir/predicate.ts';
import { TEXT } from '#postgres/pg-type.ts';
import { keyName, placeholderStart } from '#values/placeholder.ts';
import { jsonObject } from './json.ts';
import { writeOperand } from './predicate.ts';
import type { Scope, Writer } from './writer.ts';

/** An expression that is a placeholder's text, or null where one of the keys is. */
export function writePlaceholder(
  writer: Writer,
  join: number,
  keys: readonly Operand[],
  scope: Scope,
): string {
  const values = keys.map((key) => writeOperand(writer, key, scope));
  const missing = values.map((value) => `${value} IS NULL`).join(' OR ');
  const start = writer.param({ from: 'value', value: placeholderStart(join) }, TEXT);
  const object = jsonObject(values.map((value, index) => ({ key: keyName(index), value })));
  return `(CASE WHEN ${missing} THEN NULL ELSE ${start} || ${object}::text END)`;
}
