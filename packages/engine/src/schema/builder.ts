/** What the makers of a role's types share: the role, the source, and the types made so far. */

import type { Names } from '#ir/naming.ts';
import type {
  EnumType,
  EnumValue,
  InputField,
  InputMeaning,
  InputObjectType,
  NamedType,
  ObjectType,
  OutputField,
  TypeRef,
} from '#ir/schema.ts';
import type { Table, TableView, TrackedSource } from '#ir/tracked.ts';
import type { QualifiedName } from '#postgres/catalog.ts';
import { tableKey } from '#postgres/catalog.ts';

export interface SchemaOptions {
  readonly streamFields: boolean;
  readonly updateManyFields: boolean;
  readonly aggregationPredicates: boolean;
  /** A comparison with null holds for every row; else it is an error. */
  readonly booleanNullCollapse: boolean;
}

export interface Builder {
  readonly role: string;
  /** Mutations marked `backend_only` are part of the schema. */
  readonly backendOnly: boolean;
  readonly source: TrackedSource;
  readonly names: Names;
  readonly options: SchemaOptions;
  /** Makes something once per role and source; `key` names it. */
  once<Made>(key: string, make: () => Made): Made;
  /** A tracked table; throws where metadata that was found consistent names none. */
  table(name: QualifiedName): Table;
  /** The same role's builder for another source; undefined where its database did not answer. */
  elsewhere(source: string): Builder | undefined;
  /** The table as the role may read it; undefined: not at all. */
  view(name: QualifiedName): TableView | undefined;
}

/** One builder per source, which know each other. */
export function createBuilders(
  role: string,
  backendOnly: boolean,
  sources: readonly TrackedSource[],
  options: SchemaOptions,
): readonly Builder[] {
  const builders: readonly Builder[] = sources.map((source) =>
    createBuilder(role, backendOnly, source, options, (name) =>
      builders.find((builder) => builder.source.name === name),
    ),
  );
  return builders;
}

function createBuilder(
  role: string,
  backendOnly: boolean,
  source: TrackedSource,
  options: SchemaOptions,
  elsewhere: Builder['elsewhere'],
): Builder {
  const made = new Map<string, unknown>();
  const views = new Map<string, TableView | undefined>();
  const table = (name: QualifiedName): Table => {
    const found = source.tables.get(tableKey(name));
    if (found === undefined) throw new Error(`table ${name.schema}.${name.name} is not tracked`);
    return found;
  };
  return {
    role,
    backendOnly,
    source,
    names: source.names,
    options,
    once: memoize(made),
    table,
    elsewhere,
    view(name) {
      const key = tableKey(name);
      if (views.has(key)) return views.get(key);
      const found = source.tables.get(key);
      const access = found?.inGraphql ? found.selectAccess(role) : undefined;
      const view = found === undefined || access === undefined ? undefined : { table: found, access };
      views.set(key, view);
      return view;
    },
  };
}

/** The map holds values of many types, each maker with its own keys: the one cast is here. */
function memoize(made: Map<string, unknown>): Builder['once'] {
  return <Made>(key: string, make: () => Made): Made => {
    if (made.has(key)) return made.get(key) as Made;
    const value = make();
    made.set(key, value);
    return value;
  };
}

export const nullable = (type: NamedType): TypeRef => ({ kind: 'named', type, nullable: true });
export const required = (type: NamedType): TypeRef => ({ kind: 'named', type, nullable: false });
/** `[T!]!` */
export const requiredList = (type: NamedType): TypeRef => ({
  kind: 'list',
  of: required(type),
  nullable: false,
});
/** `[T!]` */
export const nullableList = (type: NamedType): TypeRef => ({
  kind: 'list',
  of: required(type),
  nullable: true,
});

function lazyFields<Field extends { readonly name: string }>(
  make: () => readonly Field[],
): () => ReadonlyMap<string, Field> {
  let fields: ReadonlyMap<string, Field> | undefined;
  return () => {
    fields ??= new Map(make().map((field) => [field.name, field]));
    return fields;
  };
}

/** An output type whose fields are made at the first look. */
export function objectType(
  name: string,
  description: string | undefined,
  make: () => readonly OutputField[],
): ObjectType {
  const fields = lazyFields(make);
  return {
    kind: 'object',
    name,
    description,
    get fields() {
      return fields();
    },
  };
}

/** An input type whose fields are made at the first look. */
export function inputType(
  name: string,
  description: string | undefined,
  make: () => readonly InputField[],
): InputObjectType {
  const fields = lazyFields(make);
  return {
    kind: 'input',
    name,
    description,
    get fields() {
      return fields();
    },
  };
}

export function enumType(
  name: string,
  description: string | undefined,
  values: readonly EnumValue[],
  listed: () => readonly string[] = () => values.map((value) => value.name),
): EnumType {
  const sorted = values.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    kind: 'enum',
    name,
    description,
    values: new Map(sorted.map((value) => [value.name, value])),
    listed,
    column: undefined,
  };
}

/** An argument or input field that may be left out. */
export function optional(
  name: string,
  type: TypeRef,
  meaning: InputMeaning,
  description?: string,
): InputField {
  return { name, description, type, optional: true, meaning };
}

export function mandatory(
  name: string,
  type: TypeRef,
  meaning: InputMeaning,
  description?: string,
): InputField {
  return { name, description, type, optional: false, meaning };
}

export const ARGUMENT: InputMeaning = { kind: 'argument' };

export function argumentsOf(...fields: readonly InputField[]): ReadonlyMap<string, InputField> {
  return new Map(fields.map((field) => [field.name, field]));
}

export const NO_ARGUMENTS: ReadonlyMap<string, InputField> = new Map();
