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
import { byName, rootsOf, walkTypes } from '#schema/all-types.ts';
import { DIRECTIVES, type Directive } from '#schema/introspection-types.ts';
import { writeGraphqlValue } from '#values/graphql-value.ts';
import type { SelectionContext } from './collect-fields.ts';
import { invalid } from './errors.ts';
import { type CheckedField, namedType, objectOf, type Selection, selectFields } from './field.ts';

/** One object of the schema: what each field of its introspection type answers. */
interface Answers {
  readonly [field: string]: () => Answer;
}
type Answer = string | boolean | null | readonly string[] | Answers | readonly Answers[];

/** The JSON value of the field. */
export function introspect(checked: CheckedField, schema: RoleSchema, context: SelectionContext): unknown {
  const isType = checked.field.meaning.kind === 'introspection' && checked.field.meaning.of === 'type';
  const answers = isType ? findType(checked, schema) : schemaAnswers(schema);
  const run: Introspection = { context, selections: new Map(), left: MAX_ANSWERS };
  return select(objectOf(checked.field), checked.selections, answers, run, checked.path);
}

/** Types lead to types: a short query can ask for everything again and again. */
const MAX_ANSWERS = 1_000_000;

interface Introspection {
  readonly context: SelectionContext;
  /** Selections are checked once, however many things they are asked of. */
  readonly selections: Map<readonly SelectionNode[], readonly Selection[]>;
  left: number;
}

function findType(checked: CheckedField, schema: RoleSchema): Answers | null {
  const name = checked.arguments.get('name')?.value;
  if (name?.kind !== 'value' || typeof name.value !== 'string') return null;
  const found = allTypes(schema).get(name.value);
  return found === undefined ? null : typeAnswers(nullable(found));
}

/** Checks the selection even where there is nothing to answer. */
function select(
  type: ObjectType,
  selections: readonly SelectionNode[],
  answers: Answers | null,
  run: Introspection,
  path: Path | undefined,
): unknown {
  const fields = run.selections.get(selections) ?? [...selectFields(type, selections, run.context, path)];
  run.selections.set(selections, fields);
  run.left -= fields.length;
  if (run.left < 0) throw invalid('the introspection asks for too much; ask for less at a time', undefined);
  // Without a prototype: an alias may be called `__proto__`.
  const result: Record<string, unknown> = Object.create(null);
  for (const selection of fields) {
    if (selection.kind === 'typename') {
      result[selection.alias] = type.name;
      continue;
    }
    const answer = answers?.[selection.field.name]?.() ?? null;
    const inner = namedType(selection.field.type);
    const below = (thing: Answers | null) =>
      inner.kind === 'object' ? select(inner, selection.selections, thing, run, selection.path) : null;
    if (inner.kind !== 'object') result[selection.alias] = answer;
    else if (Array.isArray(answer)) result[selection.alias] = answer.map(below);
    else result[selection.alias] = below(isAnswers(answer) ? answer : null);
  }
  return answers === null ? null : result;
}

function isAnswers(answer: Answer): answer is Answers {
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer);
}

const nullable = (type: NamedType): TypeRef => ({ kind: 'named', type, nullable: true });

function schemaAnswers(schema: RoleSchema): Answers {
  const root = (type: ObjectType | undefined) => (type === undefined ? null : typeAnswers(nullable(type)));
  return {
    description: () => null,
    types: () => byName(allTypes(schema).values()).map((type) => typeAnswers(nullable(type))),
    queryType: () => root(schema.query),
    mutationType: () => root(schema.mutation),
    subscriptionType: () => root(schema.subscription),
    directives: () => DIRECTIVES.filter(({ advertised }) => advertised).map(directiveAnswers),
  };
}

const KINDS = { scalar: 'SCALAR', enum: 'ENUM', input: 'INPUT_OBJECT', object: 'OBJECT' } as const;

/** A type as introspection unwraps it: an outermost `!` first, then the list, then the name. */
function typeAnswers(type: TypeRef): Answers {
  if (!type.nullable)
    return { kind: () => 'NON_NULL', ofType: () => typeAnswers({ ...type, nullable: true }) };
  if (type.kind === 'list') return { kind: () => 'LIST', ofType: () => typeAnswers(type.of) };
  const named = type.type;
  if (named.kind === 'scalar' && named.array)
    return {
      kind: () => 'LIST',
      ofType: () => typeAnswers({ kind: 'named', type: { ...named, array: false }, nullable: false }),
    };
  return {
    kind: () => KINDS[named.kind],
    name: () => named.name,
    description: () => named.description ?? null,
    fields: () => (named.kind === 'object' ? byName(visibleFields(named)).map(fieldAnswers) : null),
    interfaces: () => (named.kind === 'object' ? [] : null),
    enumValues: () => (named.kind === 'enum' ? byName(named.values.values()).map(enumValueAnswers) : null),
    inputFields: () => (named.kind === 'input' ? byName(named.fields.values()).map(inputAnswers) : null),
  };
}

/** Introspection's own fields may be asked of the query root without being shown there. */
function visibleFields(type: ObjectType): OutputField[] {
  const fields = [...type.fields.values()];
  return type.name === 'query_root'
    ? fields.filter(({ meaning }) => meaning.kind !== 'introspection')
    : fields;
}

function fieldAnswers(field: OutputField): Answers {
  return {
    name: () => field.name,
    description: () => field.description ?? null,
    args: () => byName(field.arguments.values()).map(inputAnswers),
    type: () => typeAnswers(field.type),
    isDeprecated: () => false,
    deprecationReason: () => null,
  };
}

function inputAnswers(field: InputField): Answers {
  return {
    name: () => field.name,
    description: () => field.description ?? null,
    type: () => typeAnswers(shownType(field)),
    defaultValue: () => (field.default === undefined ? null : writeGraphqlValue(field.default)),
  };
}

function enumValueAnswers(value: EnumValue): Answers {
  return {
    name: () => value.name,
    description: () => value.description ?? null,
    isDeprecated: () => false,
    deprecationReason: () => null,
  };
}

function directiveAnswers(directive: Directive): Answers {
  return {
    name: () => directive.name,
    description: () => directive.description,
    locations: () => directive.locations,
    args: () => [...directive.arguments.values()].map(inputAnswers),
    isRepeatable: () => false,
  };
}

/** Every type that the roots, the directives or introspection itself lead to, by name. */
export function allTypes(schema: RoleSchema): ReadonlyMap<string, NamedType> {
  const types = new Map<string, NamedType>();
  walkTypes(rootsOf(schema), (type) => {
    if (types.has(type.name)) return false;
    types.set(type.name, type);
    return true;
  });
  for (const directive of DIRECTIVES)
    for (const argument of directive.arguments.values()) {
      const type = namedType(argument.type);
      if (!types.has(type.name)) types.set(type.name, type);
    }
  return types;
}
