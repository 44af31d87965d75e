/**
 * Rows to insert that are data alone: a list of objects with the same columns each, whose values fit. They
 * are read column by column, at a fraction of what the same costs as input of any shape. Anything
 * else (a relationship, a column that only some rows have, a value that does not fit) is left to
 * `coerce.ts`, which also has the errors.
 */

import { EngineError } from '#base/errors.ts';
import type { PlainRows } from '#ir/plain-rows.ts';
import type { InputObjectType, TypeRef } from '#ir/schema.ts';
import type { Column } from '#ir/tracked.ts';
import { NumberLiteral, ScalarError } from '#values/scalar.ts';

/** Reads a value that is more than a scalar. @throws {EngineError} where it does not fit */
export type ReadCell = (type: TypeRef, value: unknown) => string | null;

interface Target {
  readonly key: string;
  readonly column: Column;
  readonly read: (value: unknown) => string | null | undefined;
  readonly values: (string | null)[];
}

/** Undefined for rows that are not plain. One row alone is not worth it. */
export function readPlainRows(
  type: InputObjectType,
  rows: unknown,
  readCell: ReadCell,
): PlainRows | undefined {
  if (!Array.isArray(rows) || rows.length < 2) return undefined;
  const targets = targetsOf(type, rows[0], readCell);
  if (targets === undefined) return undefined;
  const byKey = new Map(targets.map((target) => [target.key, target]));
  try {
    return rows.every((row: unknown) => readRow(row, targets, byKey))
      ? { columns: targets, count: rows.length }
      : undefined;
  } catch (error) {
    if (error instanceof ScalarError || error instanceof EngineError) return undefined;
    throw error;
  }
}

function isRow(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberLiteral)
  );
}

function targetsOf(type: InputObjectType, first: unknown, readCell: ReadCell): Target[] | undefined {
  if (!isRow(first)) return undefined;
  const targets: Target[] = [];
  for (const key of Object.keys(first)) {
    const field = type.fields.get(key);
    if (field === undefined || field.meaning.kind !== 'column') return undefined;
    targets.push({
      key,
      column: field.meaning.column,
      read: cellReader(field.type, readCell),
      values: [],
    });
  }
  return targets.length === 0 ? undefined : targets;
}

function cellReader(type: TypeRef, readCell: ReadCell): Target['read'] {
  if (type.kind === 'list' || type.type.kind !== 'scalar' || type.type.read.kind !== 'parameter')
    return (value) => readCell(type, value);
  const { read } = type.type.read;
  const { nullable } = type;
  return (value) => (value === null ? (nullable ? null : undefined) : read(value));
}

/** @throws {ScalarError | EngineError} for a value that does not fit */
function readRow(row: unknown, targets: readonly Target[], byKey: ReadonlyMap<string, Target>): boolean {
  if (!isRow(row)) return false;
  let index = 0;
  // Rows that one program writes have their keys in one order: it is looked up only where they do not.
  for (const key in row) {
    const expected = targets[index];
    const target = expected?.key === key ? expected : byKey.get(key);
    const value = row[key];
    if (target === undefined || value === undefined) return false;
    const text = target.read(value);
    if (text === undefined) return false;
    target.values.push(text);
    index += 1;
  }
  return index === targets.length;
}
