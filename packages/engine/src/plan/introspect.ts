/** Answers `__schema` and `__type` from a role's schema. Everything is in the order of its name. */
import type { SelectionNode } from 'graphql';
import type { Path } from '#ir/path.ts';
import type {
  EnumValue,
  InputField,
  NamedType,
  ObjectType,
  OutputField,
  RoleSchema,
  TypeRef,
} from '#ir/schema.ts';
import { shownType } from '#ir/type-text.ts';
import { byName } from '#schema/all-types.ts';
import { DIRECTIVES, type Directive } from '#schema/introspection-types.ts';
import { type ShownTypes, shownTypes } from '#schema/shown-types.ts';
import { writeGraphqlValue } from '#values/graphql-value.ts';
import type { SelectionContext } from './collect-fields.ts';
import { invalid } from './errors.ts';
import { type CheckedField, namedType, objectOf, type Selection, selectFields } from './field.ts';

/** One object of the schema, as a type of introspection shows it. */
interface Thing {
  /** Null for what it does not have. */
  answer(field: string): Answer;
}
type Answer = string | boolean | null | readonly string[] | Thing | readonly Thing[];

/** @returns the JSON text of the field's value: a whole schema's takes many times its memory as objects */
export function introspect(checked: CheckedField, schema: RoleSchema, context: SelectionContext): string {
  const isType = checked.field.meaning.kind === 'introspection' && checked.field.meaning.of === 'type';
  const shown = shownTypes(schema);
  const thing = isType ? findType(checked, shown) : schemaThing(schema, shown);
  const run: Introspection = {
    context,
    selections: new Map(),
    left: MAX_ANSWERS + ANSWERS_PER_ENTRY * shown.entries,
    written: [],
    text: '',
  };
  write(objectOf(checked.field), checked.selections, thing, run, checked.path);
  run.written.push(run.text);
  return run.written.join('');
}

/** Types lead to types: a short query can ask for everything again and again. */
const MAX_ANSWERS = 1_000_000;
/** The customary introspection asks some twenty things of each field, argument and enum value. */
const ANSWERS_PER_ENTRY = 60;
const CHUNK = 65_536;

interface Introspection {
  readonly context: SelectionContext;
  /** Selections are checked once, however many things they are asked of. */
  readonly selections: Map<readonly SelectionNode[], readonly Asked[]>;
  left: number;
  readonly written: string[];
  /** What comes after `written`. */
  text: string;
}

/** A selected field, and the key it is answered under. */
interface Asked {
  readonly key: string;
  readonly selection: Selection;
  /** Missing where the field has no selection of its own. */
  readonly type: ObjectType | undefined;
}

function findType(checked: CheckedField, shown: ShownTypes): Thing | null {
  const name = checked.arguments.get('name')?.value;
  if (name?.kind !== 'value' || typeof name.value !== 'string') return null;
  const found = shown.types.get(name.value);
  return found === undefined ? null : typeThing(nullable(found), shown);
}

/** Checks the selection even where there is nothing to answer. */
function write(
  type: ObjectType,
  selections: readonly SelectionNode[],
  thing: Thing | null,
  run: Introspection,
  path: Path | undefined,
): void {
  const known = run.selections.get(selections);
  const asked = known ?? [...selectFields(type, selections, run.context, path)].map(toAsked);
  run.selections.set(selections, asked);
  if (thing === null) {
    if (known === undefined) checkBelow(asked, run);
    run.text += 'null';
    return;
  }
  run.left -= asked.length;
  if (run.left < 0) throw invalid('the introspection asks for too much; ask for less at a time', undefined);
  let separator = '{';
  for (const { key, selection, type: inner } of asked) {
    run.text += `${separator}${key}`;
    separator = ',';
    if (selection.kind === 'typename') run.text += JSON.stringify(type.name);
    else if (inner === undefined) run.text += JSON.stringify(thing.answer(selection.field.name));
    else writeBelow(inner, selection, thing.answer(selection.field.name), run);
  }
  run.text += '}';
  if (run.text.length < CHUNK) return;
  run.written.push(run.text);
  run.text = '';
}

function toAsked(selection: Selection): Asked {
  const key = `${JSON.stringify(selection.alias)}:`;
  if (selection.kind === 'typename') return { key, selection, type: undefined };
  const inner = namedType(selection.field.type);
  return { key, selection, type: inner.kind === 'object' ? inner : undefined };
}

function writeBelow(type: ObjectType, below: CheckedField, answer: Answer, run: Introspection): void {
  if (!Array.isArray(answer)) {
    write(type, below.selections, isThing(answer) ? answer : null, run, below.path);
    return;
  }
  if (answer.length === 0) checkOnly(type, below, run);
  run.text += '[';
  answer.forEach((thing, index) => {
    if (index > 0) run.text += ',';
    write(type, below.selections, isThing(thing) ? thing : null, run, below.path);
  });
  run.text += ']';
}

/** What is below a thing that is not there; once is enough. */
function checkBelow(asked: readonly Asked[], run: Introspection): void {
  for (const { selection, type } of asked)
    if (selection.kind === 'field' && type !== undefined) checkOnly(type, selection, run);
}

function checkOnly(type: ObjectType, { selections, path }: CheckedField, run: Introspection): void {
  if (run.selections.has(selections)) return;
  const asked = [...selectFields(type, selections, run.context, path)].map(toAsked);
  run.selections.set(selections, asked);
  checkBelow(asked, run);
}

function isThing(answer: unknown): answer is Thing {
  return typeof answer === 'object' && answer !== null && 'answer' in answer;
}

type Readers<Value> = Readonly<Record<string, (value: Value, shown: ShownTypes) => Answer>>;

const thingOf = <Value>(readers: Readers<Value>, value: Value, shown: ShownTypes): Thing => ({
  answer: (field) => readers[field]?.(value, shown) ?? null,
});

const nullable = (type: NamedType): TypeRef => ({ kind: 'named', type, nullable: true });

function schemaThing(schema: RoleSchema, shown: ShownTypes): Thing {
  const root = (type: ObjectType | undefined) =>
    type === undefined ? null : typeThing(nullable(type), shown);
  const readers: Readers<RoleSchema> = {
    types: () => byName(shown.types.values()).map((type) => typeThing(nullable(type), shown)),
    queryType: ({ query }) => root(query),
    mutationType: ({ mutation }) => root(mutation),
    subscriptionType: ({ subscription }) => root(subscription),
    directives: () =>
      DIRECTIVES.filter(({ advertised }) => advertised).map((one) => thingOf(DIRECTIVE, one, shown)),
  };
  return thingOf(readers, schema, shown);
}

const KINDS = { scalar: 'SCALAR', enum: 'ENUM', input: 'INPUT_OBJECT', object: 'OBJECT' } as const;

/** A type as introspection unwraps it: an outermost `!` first, then the list, then the name. */
function typeThing(type: TypeRef, shown: ShownTypes): Thing {
  if (!type.nullable) return thingOf(NON_NULL, type, shown);
  if (type.kind === 'list') return thingOf(LIST, type.of, shown);
  const named = type.type;
  if (named.kind === 'scalar' && named.array)
    return thingOf(LIST, { kind: 'named', type: { ...named, array: false }, nullable: false }, shown);
  return thingOf(NAMED, named, shown);
}

const NON_NULL: Readers<TypeRef> = {
  kind: () => 'NON_NULL',
  ofType: (type, shown) => typeThing({ ...type, nullable: true }, shown),
};

const LIST: Readers<TypeRef> = { kind: () => 'LIST', ofType: typeThing };

const NAMED: Readers<NamedType> = {
  kind: ({ kind }) => KINDS[kind],
  name: ({ name }) => name,
  description: ({ description }) => description ?? null,
  fields: (type, shown) =>
    type.kind === 'object'
      ? byName(visibleFields(type, shown)).map((one) => thingOf(FIELD, one, shown))
      : null,
  interfaces: ({ kind }) => (kind === 'object' ? [] : null),
  enumValues: (type, shown) =>
    type.kind === 'enum' ? byName(type.values.values()).map((one) => thingOf(ENUM_VALUE, one, shown)) : null,
  inputFields: (type, shown) => (type.kind === 'input' ? inputThings(type.fields, shown) : null),
};

/** Introspection's own fields may be asked of the query root without being shown there. */
function visibleFields(type: ObjectType, shown: ShownTypes): OutputField[] {
  const fields = [...type.fields.values()].filter(shown.shows);
  return type.name === 'query_root'
    ? fields.filter(({ meaning }) => meaning.kind !== 'introspection')
    : fields;
}

const FIELD: Readers<OutputField> = {
  name: ({ name }) => name,
  description: ({ description }) => description ?? null,
  args: (field, shown) => inputThings(field.arguments, shown),
  type: ({ type }, shown) => typeThing(type, shown),
  isDeprecated: () => false,
};

function inputThings(fields: ReadonlyMap<string, InputField>, shown: ShownTypes): Thing[] {
  return byName(fields.values())
    .filter(shown.shows)
    .map((field) => thingOf(INPUT, field, shown));
}

const INPUT: Readers<InputField> = {
  name: ({ name }) => name,
  description: ({ description }) => description ?? null,
  type: (field, shown) => typeThing(shownType(field), shown),
  defaultValue: ({ default: value }) => (value === undefined ? null : writeGraphqlValue(value)),
};

const ENUM_VALUE: Readers<EnumValue> = {
  name: ({ name }) => name,
  description: ({ description }) => description ?? null,
  isDeprecated: () => false,
};

const DIRECTIVE: Readers<Directive> = {
  name: ({ name }) => name,
  description: ({ description }) => description,
  locations: ({ locations }) => locations,
  // In the order that Hasura's source has them, and not by name.
  args: (directive, shown) => [...directive.arguments.values()].map((one) => thingOf(INPUT, one, shown)),
  isRepeatable: () => false,
};
