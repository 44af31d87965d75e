import { readdir, readFile } from 'node:fs/promises';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import {
  buildClientSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  lexicographicSortSchema,
  parse,
  printSchema,
} from 'graphql';
import { GraphQLClient } from 'graphql-request';

const HASURA = new URL('../src/hasura/', import.meta.url);

/** What an administrator may ask of the engine, as the engine itself says it; committed for review. */
export const SCHEMA_FILE = new URL('generated/schema.graphql', HASURA);
export const TYPES_FILE = new URL('generated/documents.ts', HASURA);
const DOCUMENTS = new URL('documents/', HASURA);

/** The operations of the identity service, by file name. */
export async function readDocuments(): Promise<Map<string, string>> {
  const names = (await readdir(DOCUMENTS)).filter((name) => name.endsWith('.graphql')).sort();
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(new URL(name, DOCUMENTS), 'utf8')] as const),
    ),
  );
}

/** The schema of role admin in SDL, sorted so that it changes only where the engine's answer does. */
export async function introspect(endpoint: string, adminSecret: string): Promise<string> {
  const client = new GraphQLClient(`${endpoint}/v1/graphql`, {
    headers: { 'x-hasura-admin-secret': adminSecret },
  });
  const answer = await client.request<IntrospectionQuery>(getIntrospectionQuery({ descriptions: false }));
  return `${printSchema(lexicographicSortSchema(buildClientSchema(answer)))}\n`;
}

/** The TypeScript module with one typed document for each operation. */
export async function generateTypes(schema: string): Promise<string> {
  const documents = await readDocuments();
  return codegen({
    filename: 'documents.ts',
    schema: parse(schema),
    documents: [...documents].map(([location, text]) => ({ location, document: parse(text) })),
    plugins: [{ typescriptOperations: {} }, { typedDocumentNode: {} }],
    pluginMap: { typescriptOperations, typedDocumentNode },
    config: {
      useTypeImports: true,
      // Node strips types and nothing else, so there must be no enum.
      enumsAsTypes: true,
      onlyOperationTypes: true,
      skipTypename: true,
      scalars: { jsonb: 'unknown', timestamptz: 'string', uuid: 'string' },
    },
  });
}
