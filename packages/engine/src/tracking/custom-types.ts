/** The custom types of the metadata, checked against each other and against the tables they link to. */

import type { CustomField, CustomObject, TypeShape } from '#ir/actions.ts';
import type { CustomTypes } from '#metadata/types.ts';
import { displayName, type QualifiedName, tableKey } from '#postgres/catalog.ts';
import { isBuiltInScalar, postgresScalar } from './action-scalars.ts';
import { baseName, readType } from './type-shape.ts';

/** Columns of a tracked table; undefined where it is not tracked. */
export type ColumnsOf = (source: string, table: QualifiedName) => ReadonlySet<string> | undefined;

export interface ReadTypes {
  readonly objects: ReadonlyMap<string, CustomObject>;
  /** Why the types cannot be used; each a clause of a sentence. */
  readonly problems: readonly string[];
}

/** @param columnsOf left out where no database is known: links are then not checked */
export function readCustomTypes(types: CustomTypes, columnsOf?: ColumnsOf): ReadTypes {
  const problems: string[] = [];
  const names = [...types.scalars, ...types.enums, ...types.input_objects, ...types.objects].map(
    ({ name }) => name,
  );
  const repeated = duplicates(names);
  if (repeated.length > 0) problems.push(`duplicate type names: ${quoteAll(repeated)}`);
  for (const { name, values } of types.enums) {
    const twice = duplicates(values.map(({ value }) => value));
    if (twice.length > 0) problems.push(`the enum type "${name}" has duplicate values: ${quoteAll(twice)}`);
  }
  const leaves = new Set([...types.scalars, ...types.enums].map(({ name }) => name));
  const isLeaf = (name: string) =>
    leaves.has(name) || isBuiltInScalar(name) || postgresScalar(name) !== undefined;
  const inputs = new Set(types.input_objects.map(({ name }) => name));
  for (const { name, fields } of types.input_objects) {
    const twice = duplicates(fields.map((field) => field.name));
    if (twice.length > 0)
      problems.push(`the input object "${name}" has duplicate fields: ${quoteAll(twice)}`);
    for (const field of fields) {
      const shape = readType(field.type);
      const base = shape === undefined ? field.type : baseName(shape);
      if (shape === undefined || !(isLeaf(base) || inputs.has(base))) {
        problems.push(
          `the type "${base}" for field "${field.name}" in  input object type "${name}" does not exist`,
        );
      }
    }
  }
  const objects = new Map(types.objects.map((definition) => [definition.name, readObject(definition)]));
  for (const definition of types.objects) {
    problems.push(...objectProblems(definition, (name) => isLeaf(name) || objects.has(name), columnsOf));
  }
  return { objects, problems };
}

type ObjectDefinition = CustomTypes['objects'][number];

const ANY: TypeShape = { kind: 'named', name: 'String', nullable: true };

export function readField(field: {
  name: string;
  type: string;
  description?: string | undefined;
}): CustomField {
  return { name: field.name, description: field.description, type: readType(field.type) ?? ANY };
}

function readObject(definition: ObjectDefinition): CustomObject {
  return {
    name: definition.name,
    description: definition.description,
    fields: definition.fields.map(readField),
    links: definition.relationships.map((link) => ({
      name: link.name,
      kind: link.type,
      source: link.source,
      target: link.remote_table,
      mapping: Object.entries(link.field_mapping),
    })),
  };
}

function objectProblems(
  definition: ObjectDefinition,
  exists: (type: string) => boolean,
  columnsOf: ColumnsOf | undefined,
): string[] {
  const { name, fields, relationships } = definition;
  const problems: string[] = [];
  const twice = duplicates([...fields, ...relationships].map((field) => field.name));
  if (twice.length > 0) problems.push(`the object "${name}" has duplicate fields: ${quoteAll(twice)}`);
  for (const field of fields) {
    if (field.arguments !== undefined && field.arguments !== null) {
      problems.push(`the object "${name}" can't have arguments`);
    }
    const shape = readType(field.type);
    const base = shape === undefined ? field.type : baseName(shape);
    if (shape === undefined || !exists(base)) {
      problems.push(`the type "${base}" for field "${field.name}" in  object type "${name}" does not exist`);
    }
  }
  if (new Set(relationships.map(({ source }) => source)).size > 1) {
    problems.push(`the object "${name}" has relationships refers to tables in multiple sources`);
  }
  if (columnsOf === undefined) return problems;
  for (const link of relationships) {
    const columns = columnsOf(link.source, link.remote_table);
    const table = `"${displayName(link.remote_table)}"`;
    if (columns === undefined) {
      problems.push(
        `the remote table ${table} for relationship "${link.name}" of object type "${name}" does not exist`,
      );
      continue;
    }
    for (const [from, column] of Object.entries(link.field_mapping)) {
      const field = fields.find((candidate) => candidate.name === from);
      const at = `for relationship "${link.name}" in object type "${name}"`;
      if (field === undefined) problems.push(`the field "${from}" ${at} does not exist`);
      else if (readType(field.type)?.kind === 'list') {
        problems.push(`the type of the field "${from}" ${at} is a list type`);
      }
      if (!columns.has(column)) {
        problems.push(
          `the column "${column}" of remote table ${table} for relationship "${link.name}" of object type "${name}" does not exist`,
        );
      }
    }
  }
  return problems;
}

/** As Hasura puts it. */
export function describeProblems(problems: readonly string[]): string {
  const [only] = problems;
  const reasons =
    problems.length === 1
      ? `because ${only}`
      : `for the following reasons:\n${problems.map((problem) => `  • ${problem}\n`).join('')}`;
  return `validation for the given custom types failed ${reasons}`;
}

function duplicates(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

/** Used by checks of links: all columns of the tracked tables, by source and table. */
export function columnsFrom(
  sources: readonly {
    readonly name: string;
    readonly tables: ReadonlyMap<string, { readonly columnByName: ReadonlyMap<string, unknown> }>;
  }[],
): ColumnsOf {
  return (source, table) => {
    const columns = sources.find(({ name }) => name === source)?.tables.get(tableKey(table))?.columnByName;
    return columns === undefined ? undefined : new Set(columns.keys());
  };
}
