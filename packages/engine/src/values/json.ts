/** JSON values, and what they are called. */
import type { z } from 'zod';

export type Json = z.core.util.JSONType;

/** What JSON calls an object; a number that is kept as its digits is none. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function jsonType(value: unknown): string {
  if (value === null || value === undefined) return 'Null';
  if (Array.isArray(value)) return 'Array';
  if (isPlainObject(value)) return 'Object';
  return { string: 'String', number: 'Number', boolean: 'Boolean' }[String(typeof value)] ?? 'Null';
}
