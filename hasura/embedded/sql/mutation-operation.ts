/** A whole mutation: its root fields in order, in one transaction where they share a source. */
import type { Pool, PoolClient } from 'pg';
import type { RootField, RootNode } from '../plan/types.ts';
import type { Session } from '../session.ts';
import { type MutationRun, query } from './mutation-query.ts';
import { runMutation } from './mutation-run.ts';
import { compileQueries } from './statement.ts';
import type { Param } from './text.ts';
import { type Isolation, inTransaction } from './transaction.ts';
import type { SqlOptions } from './writer.ts';

export interface MutationSource {
  readonly pool: Pool;
  readonly isolation: Isolation;
  readonly options: SqlOptions;
}

export interface MutationContext {
  readonly session: Session;
  /** A parameter's text, from variables and session. */
  readonly resolve: (param: Param) => string | null;
  source(name: string): MutationSource;
}

/**
 * @returns `fields` as one JSON object
 * @throws {EngineError} where any field fails; nothing of its transaction then remains
 */
export async function runMutationFields(
  fields: readonly RootField[],
  context: MutationContext,
): Promise<string> {
  const names = new Set(fields.flatMap(({ node }) => sourcesOf(node)));
  const [only] = names;
  if (names.size === 1 && only !== undefined) {
    return inSource(only, context, (client) =>
      runFields(fields, (node, name) => runNode(node, name, context, client)),
    );
  }
  // Several sources cannot share a transaction: each field then has its own, in order.
  return runFields(fields, (node, name) =>
    inSource(name, context, (client) => runNode(node, name, context, client)),
  );
}

type DatabaseNode = Exclude<RootNode, { kind: 'json' | 'namespace' }>;

async function runFields(
  fields: readonly RootField[],
  run: (node: DatabaseNode, source: string) => Promise<string>,
): Promise<string> {
  const written: string[] = [];
  for (const { alias, node } of fields) written.push(`${JSON.stringify(alias)}:${await runRoot(node, run)}`);
  return `{${written.join(',')}}`;
}

function runRoot(
  node: RootNode,
  run: (node: DatabaseNode, source: string) => Promise<string>,
): Promise<string> | string {
  switch (node.kind) {
    case 'json':
      return node.json;
    case 'namespace':
      return runFields(node.fields, run);
    default:
      return run(node, node.source);
  }
}

function sourcesOf(node: RootNode): readonly string[] {
  if (node.kind === 'json') return [];
  return node.kind === 'namespace' ? node.fields.flatMap((field) => sourcesOf(field.node)) : [node.source];
}

function inSource(
  name: string,
  context: MutationContext,
  work: (client: PoolClient) => Promise<string>,
): Promise<string> {
  const { pool, isolation } = context.source(name);
  return inTransaction(pool, isolation, context.session, work);
}

async function runNode(
  node: DatabaseNode,
  name: string,
  context: MutationContext,
  client: PoolClient,
): Promise<string> {
  const { options } = context.source(name);
  const run: MutationRun = { client, resolve: context.resolve, options };
  if (node.kind === 'mutation') return runMutation(run, node.mutation);
  const { text, params } = compileQueries([node], options);
  const [row] = await query(run, text, params, '$');
  return row?.[0] ?? 'null';
}
