/** Mutations of authors and their articles, as plans have them. */
import type {
  Assignment,
  InsertRow,
  InsertSet,
  MutationOutput,
  MutationTarget,
  RelatedInsert,
} from '#ir/mutation.ts';
import { at } from '#ir/path.ts';
import { ALWAYS, type Predicate } from '#ir/predicate.ts';
import type { RowField } from '#ir/select.ts';
import type { PgType } from '#postgres/catalog.ts';
import { arrayOf, baseType, INTEGER, TEXT } from '#postgres/pg-type.ts';

export const JSONB = baseType('jsonb');
export const TEXTS = arrayOf(TEXT);

export const author: MutationTarget = {
  table: { schema: 'public', name: 'author' },
  columns: [
    { name: 'id', type: INTEGER },
    { name: 'name', type: TEXT },
    { name: 'info', type: JSONB },
    { name: 'tags', type: TEXTS },
  ],
};
export const article: MutationTarget = {
  table: { schema: 'public', name: 'article' },
  columns: [
    { name: 'id', type: INTEGER },
    { name: 'title', type: TEXT },
    { name: 'author_id', type: INTEGER },
  ],
};

export const value = (name: string, type: PgType, text: string | null): Assignment => ({
  name,
  type,
  param: { from: 'value', value: text },
});
export const name = (text: string | null) => value('name', TEXT, text);
export const row = (values: readonly Assignment[], related: readonly RelatedInsert[] = []): InsertRow => ({
  values,
  related,
});
export const insertInto = (
  target: MutationTarget,
  rows: readonly InsertRow[],
  rules: Partial<InsertSet> = {},
): InsertSet => ({
  ...target,
  rows,
  presets: [],
  check: ALWAYS,
  updateCheck: undefined,
  conflict: undefined,
  at: at(undefined, 'selectionSet', 'insert', 'args', 'objects'),
  isList: true,
  ...rules,
});
export const compare = (column: string, type: PgType, text: string): Predicate => ({
  kind: 'compare',
  left: { kind: 'column', column },
  operator: '=',
  right: { kind: 'param', type, param: { from: 'value', value: text } },
});
export const field = (alias: string, type: PgType): RowField => ({
  alias,
  value: { kind: 'scalar', operand: { kind: 'column', column: alias }, type, isEnum: false },
});
export const response = (...fields: readonly RowField[]): MutationOutput => ({
  kind: 'response',
  fields: [
    { alias: 'affected_rows', value: { kind: 'affected-rows' } },
    { alias: 'returning', value: { kind: 'returning', fields } },
  ],
});
export const titlesOfAuthor: RowField = {
  alias: 'articles',
  value: {
    kind: 'array',
    join: [['id', 'author_id']],
    rows: {
      select: {
        from: { kind: 'table', table: article.table },
        where: ALWAYS,
        distinctOn: [],
        orderBy: [],
        limit: undefined,
        maximum: undefined,
        offset: undefined,
      },
      fields: [field('title', TEXT)],
    },
  },
};
