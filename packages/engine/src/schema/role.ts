/** One role's schema: the roots of all sources put together. */

import { STRING_SCALAR } from '#ir/scalars.ts';
import type { ObjectType, OutputField, RoleSchema } from '#ir/schema.ts';
import type { TrackedSource } from '#ir/tracked.ts';
import {
  type Builder,
  createBuilders,
  NO_ARGUMENTS,
  nullable,
  objectType,
  required,
  type SchemaOptions,
} from './builder.ts';
import { assertNoConflicts } from './conflicts.ts';
import { introspectionFields } from './introspection-types.ts';
import { mutationFields } from './mutation-fields.ts';
import { functionFields, tableFields } from './query-fields.ts';

/** One per source; the same list for all roots of one role's schema. */
export type Builders = readonly Builder[];

/** Root fields that come from elsewhere than a source's tables and functions: actions. */
export interface ExtraFields {
  query(role: string, builders: Builders): readonly OutputField[];
  mutation(role: string, builders: Builders): readonly OutputField[];
  subscription(role: string, builders: Builders): readonly OutputField[];
}

const NO_EXTRA_FIELDS: ExtraFields = { query: () => [], mutation: () => [], subscription: () => [] };

const NOTHING_TO_QUERY =
  "There are no queries available to the current role. Either there are no sources or remote schemas configured, or the current role doesn't have the required permissions.";

type Root = 'query' | 'mutation' | 'subscription';

/**
 * @param backendOnly includes mutations marked `backend_only`; one role has two schemas where it has such
 */
export function buildRoleSchema(
  role: string,
  backendOnly: boolean,
  sources: readonly TrackedSource[],
  options: SchemaOptions,
  extra: ExtraFields = NO_EXTRA_FIELDS,
): RoleSchema {
  const builders = createBuilders(role, backendOnly, sources, options);
  const fieldsOf = (root: Root) => [
    ...builders.flatMap((builder) => namespaced(builder, root, sourceFields(builder, root))),
    ...extra[root](role, builders),
  ];
  const query = objectType('query_root', undefined, () => {
    const fields = fieldsOf('query');
    assertNoConflicts('query_root', fields);
    return [...(fields.length === 0 ? [placeholder()] : fields), ...introspectionFields()];
  });
  const mutation = once(() => rootOrNothing('mutation_root', 'mutation root', fieldsOf('mutation')));
  const subscription = once(() => rootOrNothing('subscription_root', undefined, fieldsOf('subscription')));
  return {
    role,
    query,
    get mutation() {
      return mutation();
    },
    get subscription() {
      return subscription();
    },
  };
}

function once<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function sourceFields(builder: Builder, root: Root): OutputField[] {
  const { source } = builder;
  const tables = [...source.tables.values()].filter(({ inGraphql }) => inGraphql);
  const functions = source.functions.filter(
    (fn) => fn.exposedAs === (root === 'mutation' ? 'mutation' : 'query'),
  );
  return [
    ...tables.flatMap((table) =>
      root === 'mutation' ? mutationFields(builder, table) : tableFields(builder, table, root),
    ),
    ...functions.flatMap((fn) => functionFields(builder, fn)),
  ];
}

/** A source may keep its root fields under one field of its own. */
function namespaced(builder: Builder, root: Root, fields: OutputField[]): OutputField[] {
  const { namespace } = builder.names;
  if (namespace === undefined || fields.length === 0) return fields;
  return [
    {
      name: namespace,
      description: undefined,
      arguments: NO_ARGUMENTS,
      type: nullable(
        objectType(
          builder.names.type([{ text: `${namespace}_${root}`, custom: true }]),
          undefined,
          () => fields,
        ),
      ),
      meaning: { kind: 'namespace' },
    },
  ];
}

function placeholder(): OutputField {
  return {
    name: 'no_queries_available',
    description: NOTHING_TO_QUERY,
    arguments: NO_ARGUMENTS,
    type: required(STRING_SCALAR),
    meaning: { kind: 'json', json: JSON.stringify(NOTHING_TO_QUERY) },
  };
}

function rootOrNothing(
  name: string,
  description: string | undefined,
  fields: readonly OutputField[],
): ObjectType | undefined {
  assertNoConflicts(name, fields);
  return fields.length === 0 ? undefined : objectType(name, description, () => fields);
}
