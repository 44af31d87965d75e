/**
 * What of Hasura's metadata this engine does not have. It is kept as it was written, so that an export gives it back;
 * each is an inconsistent object, which grants nobody anything, and so is whatever depends on it.
 */
import { z } from 'zod';
import { isPlainObject, type Json } from '#values/json.ts';
import { json, nonEmptyText } from './primitives.ts';

const jsonObject = z.custom<{ [key: string]: Json }>(isPlainObject);

/** An object of which the engine reads the name alone. */
const named = <Key extends string>(key: Key) =>
  jsonObject.and(
    z.custom<Record<Key, string>>((value) => nonEmptyText.safeParse(read(value, key)).success, {
      error: ({ input }) => `key "${key}" ${read(input, key) === undefined ? 'not found' : 'is no name'}`,
    }),
  );

function read(value: unknown, key: string): unknown {
  return isPlainObject(value) ? value[key] : undefined;
}

export const remoteSchema = named('name');
export const nativeQuery = named('root_field_name');
export const logicalModel = named('name');
export const storedProcedure = jsonObject.refine((value) => value.stored_procedure !== undefined, {
  error: 'key "stored_procedure" not found',
});

const POSTGRES_KINDS = ['postgres', 'pg'];

/** A source of another kind. */
export const unsupportedSource = z
  .custom<{ [key: string]: Json } & { name: string; kind: string }>((value) => {
    const [name, kind] = [read(value, 'name'), read(value, 'kind')];
    const isOther = typeof kind === 'string' && kind !== '' && !POSTGRES_KINDS.includes(kind);
    return isOther && typeof name === 'string' && name !== '';
  })
  .transform((definition) => ({ name: definition.name, kind: definition.kind, unsupported: definition }));
export type UnsupportedSource = z.infer<typeof unsupportedSource>;

/** Data connectors: agents by name. */
export const backendConfigs = z.object({ dataconnector: z.record(nonEmptyText, json).default({}) }).loose();
