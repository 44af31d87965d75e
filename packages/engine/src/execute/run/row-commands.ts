/** `select`, `insert`, `update`, `delete` and `count` of the old query APIs: from a request to its answer. */
import type { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import type { RowCommand, RowCommands } from '#execute/operation.ts';
import type { Mutation } from '#ir/mutation.ts';
import type { RootNode } from '#ir/operation.ts';
import type { TrackedSource } from '#ir/tracked.ts';
import { parseWith } from '#metadata/parse.ts';
import { dmlCount, dmlDelete, dmlInsert, dmlSelect, dmlUpdate } from '#plan/dml/arguments.ts';
import type { DmlContext } from '#plan/dml/lookup.ts';
import { planDmlDelete, planDmlInsert, planDmlUpdate } from '#plan/dml/mutation.ts';
import { planDmlCount, planDmlSelect } from '#plan/dml/select.ts';
import { parseExactJson } from '#values/exact-json.ts';
import { bindParam } from './bind.ts';
import { type MutationSource, runMutationFields } from './mutation-fields.ts';

export interface DmlSource extends MutationSource {
  readonly tracked: TrackedSource;
}

/** Checks arguments and plans them; paths of errors begin at the arguments. */
type Planner = (args: unknown, context: (source: string) => DmlContext) => RootNode;

function planner<Args extends z.ZodType<{ source: string }>>(
  schema: Args,
  plan: (context: DmlContext, args: z.output<Args>) => RootNode,
): Planner {
  return (args, context) => {
    const parsed = parseWith(schema, args);
    return plan(context(parsed.source), parsed);
  };
}

const mutation = ({ source }: DmlContext, planned: Mutation): RootNode => ({
  kind: 'mutation',
  source: source.name,
  mutation: planned,
  // As in Hasura, webhooks validate the input of GraphQL only.
  validations: [],
});

const PLANNERS: Readonly<Record<RowCommand, Planner>> = {
  select: planner(dmlSelect, (context, args) => ({
    kind: 'rows',
    source: context.source.name,
    rows: planDmlSelect(context, args),
    single: false,
  })),
  count: planner(dmlCount, (context, args) => ({
    kind: 'aggregate',
    source: context.source.name,
    node: planDmlCount(context, args),
  })),
  insert: planner(dmlInsert, (context, args) => mutation(context, planDmlInsert(context, args))),
  update: planner(dmlUpdate, (context, args) => mutation(context, planDmlUpdate(context, args))),
  delete: planner(dmlDelete, (context, args) => mutation(context, planDmlDelete(context, args))),
};

export function createRowCommands(find: (name: string) => DmlSource | undefined): RowCommands {
  const source = (name: string): DmlSource => {
    const found = find(name);
    if (found === undefined) throw new EngineError('not-exists', `source with name "${name}" does not exist`);
    return found;
  };
  return {
    async run(type, args, session) {
      const node = PLANNERS[type](args, (name) => ({
        source: source(name).tracked,
        role: session.role,
        isAdmin: session.isAdmin,
      }));
      const json = await runMutationFields([{ alias: RESULT, node }], {
        session,
        resolve: (param) => bindParam(param, { session, variables: {} }),
        source,
      });
      const result = unwrap(parseExactJson(json));
      return type === 'count' ? unwrap(result) : result;
    },
  };
}

/** The one key around an answer; the aggregate of `count` has one more. */
const RESULT = 'result';

function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null && RESULT in value ? value[RESULT] : value;
}
