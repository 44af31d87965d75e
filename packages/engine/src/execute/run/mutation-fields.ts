/** A whole mutation: its root fields in order, in one transaction where they share a source. */
import type { Pool, PoolClient } from 'pg';
import type { Session } from '#base/session.ts';
import type { Isolation } from '#execute/sources.ts';
import type { ActionNode } from '#ir/actions.ts';
import type { RootField, RootNode } from '#ir/operation.ts';
import type { Param } from '#ir/predicate.ts';
import { compileQueries } from '#sql/statement.ts';
import type { SqlOptions } from '#sql/writer.ts';
import { runMutation } from './mutation.ts';
import { type MutationRun, query } from './mutation-statement.ts';
import { inTransaction } from './transaction.ts';

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
  /** Answers an action's root field; absent where a mutation cannot have any. */
  readonly action?: ((node: ActionNode) => Promise<string>) | undefined;
  /**
   * Replaces a field's placeholders by rows of other sources. Those see what the field wrote only when it is
   * committed, so each field then has a transaction of its own.
   */
  readonly fill?: ((json: string) => Promise<string>) | undefined;
}

/**
 * @returns `fields` as one JSON object
 * @throws {EngineError} where any field fails; nothing of its transaction then remains
 */
export async function runMutationFields(
  fields: readonly RootField[],
  context: MutationContext,
): Promise<string> {
  const sources = new Set(fields.flatMap(({ node }) => sourcesOf(node)));
  const [only] = sources;
  if (sources.size === 1 && typeof only === 'string' && context.fill === undefined) {
    return inSource(only, context, (client) =>
      runFields(fields, context, (node) => runNode(node, context, client)),
    );
  }
  // Several sources, or what comes between, cannot share a transaction: each field has its own, in order.
  return runFields(fields, context, (node) =>
    inSource(node.source, context, (client) => runNode(node, context, client)),
  );
}

type DatabaseNode = Exclude<RootNode, { kind: 'json' | 'namespace' | 'action' }>;
type RunNode = (node: DatabaseNode) => Promise<string>;

async function runFields(
  fields: readonly RootField[],
  context: MutationContext,
  run: RunNode,
): Promise<string> {
  const written: string[] = [];
  for (const { alias, node } of fields)
    written.push(`${JSON.stringify(alias)}:${await runRoot(node, context, run)}`);
  return `{${written.join(',')}}`;
}

function runRoot(node: RootNode, context: MutationContext, run: RunNode): Promise<string> | string {
  switch (node.kind) {
    case 'json':
      return node.json;
    case 'namespace':
      return runFields(node.fields, context, run);
    case 'action':
      if (context.action === undefined) throw new TypeError('actions are not run here');
      return filled(context.action(node.action), context);
    default:
      return filled(run(node), context);
  }
}

async function filled(answer: Promise<string>, { fill }: MutationContext): Promise<string> {
  const json = await answer;
  return fill === undefined ? json : fill(json);
}

/** What a root field runs on: a source by name, or an action's webhook. */
function sourcesOf(node: RootNode): readonly (string | ActionNode)[] {
  if (node.kind === 'json') return [];
  if (node.kind === 'action') return [node.action];
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

async function runNode(node: DatabaseNode, context: MutationContext, client: PoolClient): Promise<string> {
  const { options } = context.source(node.source);
  const run: MutationRun = { client, resolve: context.resolve, options };
  if (node.kind === 'mutation') return runMutation(run, node.mutation);
  const { text, params } = compileQueries([node], options);
  const [row] = await query(run, text, params, '$');
  return row?.[0] ?? 'null';
}
