/** The schemas that all metadata schemas are made of. */
import { z } from 'zod';
import { isPlainObject, type Json } from '#values/json.ts';

/** True where `schema` accepts a missing key. */
function isOptional(schema: z.ZodType): boolean {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault;
}

/**
 * An object that refuses unknown keys. `null` under an optional key counts as absent, as in Hasura,
 * so that the parsed types carry no nulls.
 */
export function object<Shape extends z.ZodRawShape>(shape: Shape) {
  const nullable = Object.entries(shape)
    .filter(([, schema]) => schema instanceof z.ZodType && isOptional(schema))
    .map(([key]) => key);
  return z.preprocess(
    (value) => (isPlainObject(value) ? withoutNulls(value, nullable) : value),
    z.strictObject(shape),
  );
}

function withoutNulls(value: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  const drop = keys.filter((key) => value[key] === null);
  if (drop.length === 0) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !drop.includes(key)));
}

/** A list that defaults to empty. */
export const list = <Item extends z.ZodType>(item: Item) => z.array(item).default([]);

/** A JSON value that only its consumer understands. It was read from JSON, so nothing in it can be else. */
export const json = z.custom<Json>((value) => value !== undefined);

export const nonEmptyText = z.string().min(1, { error: 'empty string not allowed' });
export const graphqlName = z.string().regex(/^[_a-zA-Z][_a-zA-Z0-9]*$/, {
  error: (issue) => `${String(issue.input)} is not a valid GraphQL identifier`,
});

/** A name in a schema; a bare string is a name in `public`. */
export const qualifiedName = z
  .union([nonEmptyText, z.strictObject({ schema: nonEmptyText.default('public'), name: nonEmptyText })])
  .transform((value) => (typeof value === 'string' ? { schema: 'public', name: value } : value));
export type QualifiedName = z.infer<typeof qualifiedName>;

/** A part of Hasura's metadata that this engine does not support, in a command: refused unless it is empty. */
export function unsupported(what: string) {
  return z
    .unknown()
    .refine(isEmpty, {
      error: `${what} are not supported by the embedded engine; remove them from the metadata`,
    })
    .transform((): undefined => undefined)
    .optional();
}

/** A part of Hasura's metadata that this engine does not read: kept as it was written, unless it is empty. */
export const kept = z
  .unknown()
  .transform((value) => (isEmpty(value) ? undefined : json.parse(value)))
  .optional();

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isPlainObject(value) && Object.values(value).every(isEmpty);
}

/** The engine's own settings, secrets among them: not for webhooks. */
const OWN_VARIABLES = 'HASURA_GRAPHQL_';

export const header = z
  .union([
    z.strictObject({ name: nonEmptyText, value: z.string() }),
    z.strictObject({ name: nonEmptyText, value_from_env: nonEmptyText }),
  ])
  .refine((value) => !('value_from_env' in value && value.value_from_env.startsWith(OWN_VARIABLES)), {
    error: ({ input }) =>
      `env variables starting with "${OWN_VARIABLES}" are not allowed in value_from_env: ${isPlainObject(input) ? String(input.value_from_env) : ''}`,
  });

/** A request or response transformation; the action and trigger runner compiles it. */
export const transform = z.record(z.string(), json);
