/** Live queries and streams: all clients of one shape are answered by one statement. */
import { z } from 'zod';
import { EngineError, toEngineError } from '#base/errors.ts';
import type { PollAnswer, PolledCohort, Subscription } from '#execute/operation.ts';
import { batchesOf, type CompiledField, type QueryBatch } from '#execute/prepare/compile.ts';
import type { PlannedOperation } from '#execute/prepare/planner.ts';
import { type ExecutionSources, sourceOf } from '#execute/sources.ts';
import type { ActionNode } from '#ir/actions.ts';
import type { Param } from '#ir/predicate.ts';
import { actionsOf, runActions } from './actions.ts';
import { writeData } from './answer.ts';
import { type Bindings, createBinder } from './bind.ts';
import { runStatement } from './statement.ts';

type Row = readonly (string | null)[];

/** Values by batch, for one client. */
type Values = ReadonlyMap<QueryBatch, Row>;

/** What each subscription binds; the server passes subscriptions back when it polls. */
const bound = new WeakMap<Subscription, Values>();

type RunAction = (node: ActionNode) => Promise<string>;

/** How each subscription's actions are answered, for its own session. */
const acting = new WeakMap<Subscription, RunAction>();

export function createSubscription(
  planned: PlannedOperation,
  sources: ExecutionSources,
  bindings: Bindings,
  runAction: RunAction,
): Subscription {
  const { compiled } = planned;
  const batches = batchesOf(compiled);
  const nodes = actionsOf(compiled);
  const bind = createBinder(bindings);
  const values: Values = new Map(batches.map((batch) => [batch, bind(batch.statement.params)]));
  const streaming = hasStream(compiled);
  const subscription: Subscription = {
    kind: 'subscription',
    name: planned.name,
    shape: planned.key,
    cohort: JSON.stringify([...values.values(), ...(nodes.length > 0 ? [bindings.session.variables] : [])]),
    streaming,
    isEmpty: compiled.length === 0,
    poll: (cohorts) => poll(compiled, batches, sources, cohorts),
  };
  bound.set(subscription, values);
  acting.set(subscription, runAction);
  return subscription;
}

async function poll(
  compiled: readonly CompiledField[],
  batches: readonly QueryBatch[],
  sources: ExecutionSources,
  cohorts: readonly PolledCohort[],
): Promise<readonly PollAnswer[]> {
  try {
    const rows = new Map<QueryBatch, readonly Row[]>();
    await Promise.all(
      batches.map(async (batch) => {
        rows.set(batch, await pollBatch(batch, sources, cohorts));
      }),
    );
    const nodes = actionsOf(compiled);
    return await Promise.all(
      cohorts.map(async ({ subscription }, index) => {
        const run = acting.get(subscription);
        const answerOf = await runActions(run === undefined ? [] : nodes, run ?? (async () => 'null'));
        return answer(compiled, (batch) => rows.get(batch)?.[index] ?? [], answerOf);
      }),
    );
  } catch (error) {
    const [only] = cohorts;
    if (cohorts.length === 1 || only === undefined)
      return cohorts.map(() => ({ error: toEngineError(error) }));
    // One client's bad value fails the statement for all: ask for each by itself.
    const answers = await Promise.all(cohorts.map((cohort) => poll(compiled, batches, sources, [cohort])));
    return answers.flat();
  }
}

async function pollBatch(
  batch: QueryBatch,
  sources: ExecutionSources,
  cohorts: readonly PolledCohort[],
): Promise<readonly Row[]> {
  const { params, text } = batch.statement;
  const clients = cohorts.map(({ subscription, cursor }) => {
    const values = bound.get(subscription)?.get(batch) ?? foreign(subscription, batch);
    return JSON.stringify(params.map((param, index) => pollValue(param, values[index] ?? null, cursor)));
  });
  const rows = await runStatement(sourceOf(sources, batch.source).pool, text, [writeJsonArray(clients)]);
  const answers: Row[] = cohorts.map(() => []);
  for (const [number, ...columns] of rows) answers[Number(number) - 1] = columns;
  return answers;
}

/** A subscription of this shape that was planned before: its batches are others, but equal. */
function foreign(subscription: Subscription, batch: QueryBatch): Row {
  for (const [other, values] of bound.get(subscription) ?? [])
    if (other.source === batch.source && other.statement.text === batch.statement.text) return values;
  throw new EngineError('unexpected', 'subscriptions of different shapes were polled together');
}

function pollValue(param: Param, value: string | null, cursor: unknown): string | null {
  return param.from === 'cursor' && typeof cursor === 'string' ? cursor : value;
}

/** PostgreSQL's literal of an array of JSON texts. */
function writeJsonArray(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
}

function answer(
  compiled: readonly CompiledField[],
  rowOf: (batch: QueryBatch) => Row,
  answerOf: (node: ActionNode) => string,
): PollAnswer {
  const stream = streamOf(compiled);
  if (stream === undefined) return { body: `{"data":${writeData(compiled, rowOf, answerOf)}}` };
  const text = rowOf(stream.batch)[stream.column];
  if (text === undefined || text === null) return { body: undefined };
  // The cursor's line, then the rows as PostgreSQL wrote them.
  const end = text.indexOf('\n');
  const cursor = z.string().parse(JSON.parse(text.slice(0, end)));
  const rows = text.slice(end + 1);
  const body = `{"data":${writeData(compiled, (batch) => replaceAt(rowOf(batch), stream.column, rows), answerOf)}}`;
  return { body, cursor };
}

function replaceAt(row: Row, column: number, value: string): Row {
  return row.map((item, index) => (index === column ? value : item));
}

type Column = Extract<CompiledField, { kind: 'column' }>;

function streamOf(fields: readonly CompiledField[]): Column | undefined {
  for (const field of fields) {
    if (field.kind === 'column' && field.node.kind === 'stream') return field;
    const inner = field.kind === 'object' ? streamOf(field.fields) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

const hasStream = (fields: readonly CompiledField[]) => streamOf(fields) !== undefined;
