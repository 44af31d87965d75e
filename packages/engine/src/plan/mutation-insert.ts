/** `insert_x` and `insert_x_one`: input rows, nested ones included, under the role's insert permissions. */

import type { Arguments, Input, ObjectInput } from '#ir/input.ts';
import type {
  Assignment,
  ConflictRule,
  InsertRow,
  InsertSet,
  MutationTarget,
  RelatedInsert,
} from '#ir/mutation.ts';
import type { WriteView } from '#ir/mutation-meaning.ts';
import type { Path } from '#ir/path.ts';
import type { PlainRows } from '#ir/plain-rows.ts';
import { ALWAYS, all } from '#ir/predicate.ts';
import type { Preset, Table } from '#ir/tracked.ts';
import { invalid } from './errors.ts';
import { planWhere } from './where.ts';

type Entry = ObjectInput['fields'][number];

/** @param given the field's arguments, or the fields of a `…_rel_insert_input` */
export function planInsertSet(
  view: WriteView,
  given: Arguments | ObjectInput['fields'],
  isList: boolean,
): InsertSet {
  const { table, role } = view;
  const access = table.insertAccess(role);
  if (access === undefined) throw new TypeError(`role ${role} may not insert into ${table.name.name}`);
  const entries = given instanceof Map ? [...given.values()] : [...given];
  const rows = findInput(entries, 'rows');
  const conflict = findInput(entries, 'on-conflict');
  return {
    ...target(table),
    rows: rows?.kind === 'rows' ? [] : rowInputs(rows).map((row) => planRow(row)),
    presets: access.presets.map(presetAssignment),
    check: access.check,
    updateCheck: table.updateAccess(role)?.check,
    conflict: conflict?.kind === 'object' ? planConflict(view, conflict) : undefined,
    at: rows?.at,
    isList,
  };
}

/** Of the field's arguments. */
export function plainRows(given: Arguments): PlainRows | undefined {
  const rows = findInput([...given.values()], 'rows');
  return rows?.kind === 'rows' ? rows.rows : undefined;
}

export function target(table: Table): MutationTarget {
  return {
    table: table.name,
    columns: table.columns.map(({ name, type }) => ({ name, type })),
  };
}

export const presetAssignment = ({ column, type, param }: Preset): Assignment => ({
  name: column,
  type,
  param,
});

/** The argument with this meaning; names depend on the naming convention. */
export function findInput(entries: readonly Entry[], meaning: string): Input | undefined {
  return entries.find(
    ({ field }) => field.meaning.kind === 'mutation' && field.meaning.mutation.kind === meaning,
  )?.value;
}

export function rowInputs(rows: Input | undefined): readonly ObjectInput[] {
  if (rows?.kind === 'object') return [rows];
  const items = rows?.kind === 'rows' ? rows.asList() : rows?.kind === 'list' ? rows.items : [];
  return items.flatMap((item) => (item.kind === 'object' ? item : []));
}

function planRow(row: ObjectInput): InsertRow {
  const values: Assignment[] = [];
  const related: RelatedInsert[] = [];
  for (const { field, value } of row.fields) {
    if (field.meaning.kind === 'column') {
      const { name, type } = field.meaning.column;
      values.push({ name, type, param: toParam(value) });
    } else if (field.meaning.kind === 'mutation' && field.meaning.mutation.kind === 'related-insert') {
      if (value.kind !== 'object') continue;
      const { relationship, view } = field.meaning.mutation;
      const before = relationship.kind === 'object' && relationship.insertBefore;
      const insert = planInsertSet(view, value.fields, !before);
      if (relationship.kind === 'array' && insert.rows.length === 0) continue;
      const { name, kind, mapping } = relationship;
      related.push({ relationship: name, kind, mapping, before, insert });
    }
  }
  return { values, related: related.sort(inOrder) };
}

/**
 * Of what follows its row, lists come before single objects; else by name: in which order rows come to be must
 * not depend on how the client wrote them.
 */
function inOrder(a: RelatedInsert, b: RelatedInsert): number {
  if (a.kind !== b.kind) return a.kind === 'array' ? -1 : 1;
  return a.relationship < b.relationship ? -1 : 1;
}

/** A leaf as the parameter it is; an explicit null is one too. */
export function toParam(value: Input): Assignment['param'] {
  return value.kind === 'param' ? value.param : { from: 'value', value: null };
}

/** An upsert may do only what an update may: the update permission's filter and presets hold. */
function planConflict({ table, role }: WriteView, conflict: ObjectInput): ConflictRule {
  const constraint = findInput(conflict.fields, 'constraint');
  const columns = findInput(conflict.fields, 'update-columns');
  const where = findInput(conflict.fields, 'where');
  const access = table.updateAccess(role);
  return {
    target: { constraint: enumName(constraint) },
    update: columns?.kind === 'list' ? columns.items.map((item) => updateColumn(item, conflict.at)) : [],
    presets: (access?.presets ?? []).map(presetAssignment),
    where: all([access?.filter ?? ALWAYS, planWhere(where)]),
  };
}

function enumName(input: Input | undefined): string {
  return input?.kind === 'enum' && typeof input.value.value === 'string' ? input.value.value : '';
}

function updateColumn(input: Input, path: Path | undefined): string {
  // The placeholder of a role that may update no column means none.
  if (input.kind !== 'enum' || typeof input.value.value !== 'string')
    throw invalid('erroneous column name', path);
  return input.value.value;
}
