/** The arguments of the old query API's row commands, as they are written in a request. */
import { z } from 'zod';
import { nonEmptyText, object, qualifiedName } from '#metadata/primitives.ts';
import { jsonType } from '#values/json.ts';

const target = { table: qualifiedName, source: nonEmptyText.default('default') };
const json = z.unknown();
const integer = z
  .number({
    error: ({ input }) => `parsing Int failed, expected Number, but encountered ${jsonType(input)}`,
  })
  .int();
/** Values by column. */
const values = z.record(z.string(), json);
const returning = z.array(z.string()).optional();

/** `+id`, `-author.name`, or the same as an object. */
const orderItem = z.union([
  z.string().transform((text): DmlOrderItem => {
    const isDescending = text.startsWith('-');
    return { column: /^[+-]/.test(text) ? text.slice(1) : text, type: isDescending ? 'desc' : 'asc' };
  }),
  object({
    column: z.union([z.string(), z.array(z.string()).transform((path) => path.join('.'))]),
    type: z.enum(['asc', 'desc']).optional(),
    nulls: z.enum(['first', 'last']).optional(),
  }),
]);

export interface DmlOrderItem {
  /** A column, or the path to one of a related row: `author.name`. */
  readonly column: string;
  readonly type?: 'asc' | 'desc' | undefined;
  readonly nulls?: 'first' | 'last' | undefined;
}

/** What can be asked of a table and of related rows. */
export interface DmlSelectPart {
  readonly columns: readonly (
    | string
    | (DmlSelectPart & { readonly name: string; readonly alias?: string | undefined })
  )[];
  readonly where?: unknown;
  readonly order_by?: readonly DmlOrderItem[] | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

const part = {
  columns: z.lazy(
    (): z.ZodType<DmlSelectPart['columns']> =>
      z.array(z.union([z.string(), object({ name: z.string(), alias: z.string().optional(), ...part })])),
  ),
  where: json.optional(),
  order_by: z.union([z.array(orderItem), orderItem.transform((item): DmlOrderItem[] => [item])]).optional(),
  limit: integer.optional(),
  offset: integer.optional(),
};

export const dmlSelect = object({ ...target, ...part });
export type DmlSelect = z.output<typeof dmlSelect>;

export const dmlCount = object({
  ...target,
  where: json.optional(),
  distinct: z.array(z.string()).optional(),
});
export type DmlCount = z.output<typeof dmlCount>;

export const dmlInsert = object({
  ...target,
  objects: z.array(values),
  on_conflict: z
    .object({
      constraint: z.string().optional(),
      constraint_on: z.union([z.array(z.string()), z.string().transform((column) => [column])]).optional(),
      action: z.enum(['ignore', 'update']).optional(),
    })
    .refine(({ action }) => action !== undefined, {
      error: 'parsing Hasura.RQL.DML.Types.OnConflict(OnConflict) failed, key "action" not found',
    })
    .optional(),
  returning,
});
export type DmlInsert = z.output<typeof dmlInsert>;

export const dmlUpdate = object({
  ...target,
  where: json,
  $set: values.optional(),
  values: values.optional(),
  $inc: values.optional(),
  $mul: values.optional(),
  $default: z.array(z.string()).optional(),
  returning,
});
export type DmlUpdate = z.output<typeof dmlUpdate>;

export const dmlDelete = object({ ...target, where: json, returning });
export type DmlDelete = z.output<typeof dmlDelete>;
