/** `update_x`, `update_x_by_pk`, `update_x_many`, `delete_x` and `delete_x_by_pk`. */
import { hashOrder } from '#base/hash-order.ts';
import type { Arguments, Input, ObjectInput } from '#ir/input.ts';
import type {
  DeleteMutation,
  MutationOutput,
  UpdateBatch,
  UpdateItem,
  UpdateMutation,
} from '#ir/mutation.ts';
import type { WriteView } from '#ir/mutation-meaning.ts';
import type { Path } from '#ir/path.ts';
import { ALWAYS, all, type Predicate } from '#ir/predicate.ts';
import { invalid } from './errors.ts';
import { findInput, presetAssignment, target, toParam } from './mutation-insert.ts';
import { planWhere } from './where.ts';

type Entries = ObjectInput['fields'];

/** @param path of the arguments */
export function planUpdate(
  view: WriteView,
  given: Arguments,
  many: boolean,
  output: MutationOutput,
  path: Path | undefined,
): UpdateMutation {
  const { table, role } = view;
  const access = table.updateAccess(role);
  if (access === undefined) throw new TypeError(`role ${role} may not update ${table.name.name}`);
  const presets = access.presets.map(
    (preset): UpdateItem => ({ ...presetAssignment(preset), operator: 'set', params: [preset.param] }),
  );
  const batch = (entries: Entries, where: Path | undefined): UpdateBatch => ({
    set: planSet(entries, presets, where),
    where: all([access.filter, planRowChoice(entries)]),
  });
  const entries = [...given.values()];
  const updates = many ? findInput(entries, 'updates') : undefined;
  return {
    kind: 'update',
    ...target(table),
    batches: many
      ? items(updates).flatMap((item) => (item.kind === 'object' ? batch(item.fields, item.at) : []))
      : [batch(entries, path)],
    many,
    check: access.check ?? ALWAYS,
    output,
  };
}

const items = (input: Input | undefined) => (input?.kind === 'list' ? input.items : []);

function planSet(
  entries: Entries,
  presets: readonly UpdateItem[],
  path: Path | undefined,
): readonly UpdateItem[] {
  const set = [...presets];
  const twice: string[] = [];
  for (const { field, value } of entries) {
    const { meaning } = field;
    if (meaning.kind !== 'mutation' || meaning.mutation.kind !== 'update-operator') continue;
    if (value.kind !== 'object') continue;
    for (const entry of value.fields) {
      if (entry.field.meaning.kind !== 'column') continue;
      const { name, type } = entry.field.meaning.column;
      const params = entry.value.kind === 'list' ? entry.value.items.map(toParam) : [toParam(entry.value)];
      if (set.some((item) => item.name === name)) twice.push(name);
      else set.push({ name, type, operator: meaning.mutation.operator, params });
    }
  }
  if (twice.length === 0) return set;
  const names = hashOrder([...new Set(twice)], (name) => name)
    .map((name) => `'${name}'`)
    .join(', ');
  throw invalid(`Column found in multiple operators: [${names}].`, path);
}

export function planDelete(view: WriteView, given: Arguments, output: MutationOutput): DeleteMutation {
  const { table, role } = view;
  const access = table.deleteAccess(role);
  if (access === undefined) throw new TypeError(`role ${role} may not delete from ${table.name.name}`);
  const where = all([access.filter, planRowChoice([...given.values()])]);
  return { kind: 'delete', ...target(table), where, output };
}

/** `where`, or a primary key: as an argument of its own or one argument per column. */
function planRowChoice(entries: Entries): Predicate {
  const where = findInput(entries, 'where');
  if (where !== undefined) return planWhere(where);
  const key = findInput(entries, 'pk-columns');
  return all((key?.kind === 'object' ? key.fields : entries).flatMap(keyColumn));
}

function keyColumn({ field, value }: Entries[number]): readonly Predicate[] {
  if (field.meaning.kind !== 'column') return [];
  const { name, type } = field.meaning.column;
  return [
    {
      kind: 'compare',
      left: { kind: 'column', column: name },
      operator: '=',
      right: { kind: 'param', param: toParam(value), type },
    },
  ];
}
