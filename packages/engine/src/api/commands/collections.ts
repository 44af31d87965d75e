/** Query collections, the allowlist and REST endpoints. */
import { z } from 'zod';
import { type Commands, command, SUCCESS } from '#api/command.ts';
import { objectName } from '#api/editing/names.ts';
import { EngineError } from '#base/errors.ts';
import { nonEmptyText, object } from '#metadata/primitives.ts';
import {
  allowlistEntry,
  allowlistScope,
  type Metadata,
  type QueryCollection,
  queryCollection,
  restEndpoint,
  storedQuery,
} from '#metadata/types.ts';

export const collectionCommands: Commands = {
  create_query_collection: command(
    queryCollection,
    async (collection, { draft }) => {
      const { metadata } = draft.state;
      assertNameIsFree(metadata, collection.name);
      const names = collection.definition.queries.map(({ name }) => name);
      const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
      if (twice.length > 0) {
        const list = twice.map((name) => `"${name}"`).join(', ');
        throw new EngineError('not-supported', `found duplicate query names ${list}`, {
          path: '$.definition',
        });
      }
      await draft.change({ ...metadata, query_collections: [...metadata.query_collections, collection] });
      return SUCCESS;
    },
    'Hasura.RQL.Types.QueryCollection.CreateCollection(CreateCollection)',
  ),
  rename_query_collection: command(
    object({ name: nonEmptyText, new_name: nonEmptyText }),
    async ({ name, new_name: newName }, { draft }) => {
      find(draft.state.metadata, name);
      assertNameIsFree(draft.state.metadata, newName);
      const next = edit(draft.state.metadata, name, (one) => ({ ...one, name: newName }));
      await draft.change({
        ...next,
        allowlist: next.allowlist.map((entry) =>
          entry.collection === name ? { ...entry, collection: newName } : entry,
        ),
      });
      return SUCCESS;
    },
    'Hasura.RQL.Types.QueryCollection.RenameCollection(RenameCollection)',
  ),
  drop_query_collection: command(
    object({ collection: nonEmptyText, cascade: z.boolean().default(false) }),
    async ({ collection, cascade }, { draft }) => {
      const { metadata } = draft.state;
      find(metadata, collection);
      const allowed = metadata.allowlist.some((entry) => entry.collection === collection);
      if (allowed && !cascade) {
        throw new EngineError(
          'dependency-error',
          `query collection with name "${collection}" is present in the allowlist; cannot proceed to drop. please use cascade to confirm you wish to drop it from the allowlist as well`,
        );
      }
      await draft.change({
        ...metadata,
        query_collections: metadata.query_collections.filter(({ name }) => name !== collection),
        allowlist: metadata.allowlist.filter((entry) => entry.collection !== collection),
      });
      return SUCCESS;
    },
    'Hasura.RQL.Types.QueryCollection.DropCollection(DropCollection)',
  ),
  add_query_to_collection: command(
    object({ collection_name: nonEmptyText, query_name: nonEmptyText, query: storedQuery }),
    async ({ collection_name: collection, query_name: name, query }, { draft }) => {
      const { queries } = find(draft.state.metadata, collection).definition;
      if (queries.some((one) => one.name === name)) {
        throw new EngineError(
          'already-exists',
          `query with name "${name}" already exists in collection "${collection}"`,
        );
      }
      await draft.change(
        edit(draft.state.metadata, collection, (one) => ({
          ...one,
          definition: { queries: [...queries, { name, query }] },
        })),
      );
      return SUCCESS;
    },
    'Hasura.RQL.Types.QueryCollection.AddQueryToCollection(AddQueryToCollection)',
  ),
  drop_query_from_collection: command(
    object({ collection_name: nonEmptyText, query_name: nonEmptyText }),
    async ({ collection_name: collection, query_name: name }, { draft }) => {
      const { queries } = find(draft.state.metadata, collection).definition;
      if (!queries.some((one) => one.name === name)) {
        throw new EngineError(
          'not-found',
          `query with name "${name}" not found in collection "${collection}"`,
          {
            status: 400,
          },
        );
      }
      await draft.change(
        edit(draft.state.metadata, collection, (one) => ({
          ...one,
          definition: { queries: queries.filter((query) => query.name !== name) },
        })),
      );
      return SUCCESS;
    },
    'Hasura.RQL.Types.QueryCollection.DropQueryFromCollection(DropQueryFromCollection)',
  ),
  add_collection_to_allowlist: command(allowlistEntry, async (entry, { draft }) => {
    const { metadata } = draft.state;
    find(metadata, entry.collection);
    const known = metadata.allowlist.find(({ collection }) => collection === entry.collection);
    if (known !== undefined) {
      await draft.change(metadata);
      const same = JSON.stringify(known.scope) === JSON.stringify(entry.scope);
      return {
        message: `collection "${entry.collection}" already exists in the allowlist${same ? '' : ', scope ignored; to change scope, use update_scope_of_collection_in_allowlist'}`,
      };
    }
    await draft.change({ ...metadata, allowlist: [...metadata.allowlist, entry] });
    return SUCCESS;
  }),
  drop_collection_from_allowlist: command(
    object({ collection: nonEmptyText }),
    async ({ collection }, { draft }) => {
      const { metadata } = draft.state;
      assertCollectionExists(metadata, collection);
      await draft.change({
        ...metadata,
        allowlist: metadata.allowlist.filter((entry) => entry.collection !== collection),
      });
      return SUCCESS;
    },
    'Hasura.RQL.Types.Allowlist.DropCollectionFromAllowlist(DropCollectionFromAllowlist)',
  ),
  update_scope_of_collection_in_allowlist: command(
    object({ collection: nonEmptyText, scope: allowlistScope }),
    async ({ collection, scope }, { draft }) => {
      const { metadata } = draft.state;
      assertCollectionExists(metadata, collection);
      await draft.change({
        ...metadata,
        allowlist: metadata.allowlist.map((entry) =>
          entry.collection === collection ? { collection, scope } : entry,
        ),
      });
      return SUCCESS;
    },
  ),
  create_rest_endpoint: command(
    restEndpoint,
    async (endpoint, { draft }) => {
      const { metadata } = draft.state;
      if (metadata.rest_endpoints.some(({ name }) => name === endpoint.name)) {
        throw new EngineError('already-exists', `Endpoint with name: ${endpoint.name} already exists`);
      }
      await draft.change(
        { ...metadata, rest_endpoints: [...metadata.rest_endpoints, endpoint] },
        objectName.endpoint(endpoint.name),
      );
      return SUCCESS;
    },
    'Hasura.RQL.Types.Endpoint.EndpointMetadata(EndpointMetadata)',
  ),
  drop_rest_endpoint: command(
    object({ name: nonEmptyText }),
    async ({ name }, { draft }) => {
      const { metadata } = draft.state;
      if (!metadata.rest_endpoints.some((endpoint) => endpoint.name === name)) {
        throw new EngineError('not-exists', `endpoint with name: ${name} does not exist`);
      }
      await draft.change({
        ...metadata,
        rest_endpoints: metadata.rest_endpoints.filter((endpoint) => endpoint.name !== name),
      });
      return SUCCESS;
    },
    'Hasura.RQL.Types.Endpoint.DropEndpoint(DropEndpoint)',
  ),
};

function find(metadata: Metadata, name: string): QueryCollection {
  const found = metadata.query_collections.find((collection) => collection.name === name);
  if (found === undefined) {
    throw new EngineError('not-exists', `query collection with name "${name}" does not exist`);
  }
  return found;
}

function assertNameIsFree(metadata: Metadata, name: string): void {
  if (!metadata.query_collections.some((collection) => collection.name === name)) return;
  throw new EngineError('already-exists', `query collection with name "${name}" already exists`);
}

function assertCollectionExists(metadata: Metadata, name: string): void {
  if (metadata.allowlist.some(({ collection }) => collection === name)) return;
  throw new EngineError('not-found', `collection "${name}" doesn't exist in the allowlist`, { status: 400 });
}

function edit(metadata: Metadata, name: string, change: (one: QueryCollection) => QueryCollection): Metadata {
  return {
    ...metadata,
    query_collections: metadata.query_collections.map((one) => (one.name === name ? change(one) : one)),
  };
}
