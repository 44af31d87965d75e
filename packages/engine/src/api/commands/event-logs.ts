/** Reading what became of events: of tables, of cron triggers, and one-off ones. */
import { z } from 'zod';
import { type CommandContext, type Commands, command, SUCCESS } from '#api/command.ts';
import { findSource, withSource } from '#api/editing/find.ts';
import { EngineError } from '#base/errors.ts';
import { readEvent, readEvents, readInvocations } from '#events/event-log.ts';
import {
  readScheduledEvents,
  readScheduledInvocations,
  SCHEDULED_COLUMNS,
  type ScheduledOrigin,
} from '#events/scheduled-log.ts';
import { nonEmptyText, object } from '#metadata/primitives.ts';
import type { EventTrigger, Metadata } from '#metadata/types.ts';

const source = nonEmptyText.default('default');
const count = z.number().int();
const page = { limit: count.default(100), offset: count.default(0) };

/** Under the prefix `pg_`. */
export const eventLogCommands: Commands = {
  get_event_logs: command(
    object({
      name: nonEmptyText,
      source,
      status: z
        .enum(['pending', 'processed'], {
          error: 'event logs status can only be one of the following: processed or pending',
        })
        .optional(),
      ...page,
    }),
    (args, context) =>
      readEvents(triggerPool(context, args.source, args.name), args.name, args.status ?? 'all', args),
  ),
  get_event_invocation_logs: command(object({ name: nonEmptyText, source, ...page }), (args, context) =>
    readInvocations(triggerPool(context, args.source, args.name), args.name, args),
  ),
  get_event_by_id: command(
    object({
      source,
      event_id: z.string(),
      invocation_log_limit: count.default(100),
      invocation_log_offset: count.default(0),
    }),
    (args, { draft, builder }) =>
      readEvent(builder.pool(findSource(draft.state.metadata, args.source)), args.event_id, {
        limit: args.invocation_log_limit,
        offset: args.invocation_log_offset,
      }),
  ),
};

/** @throws {EngineError} `not-exists` where the source has no such trigger */
function triggerPool({ draft, builder }: CommandContext, name: string, trigger: string) {
  const found = findSource(draft.state.metadata, name);
  if (!found.tables.some(({ event_triggers: triggers }) => triggers.some((one) => one.name === trigger)))
    throw new EngineError('not-exists', `event trigger "${trigger}" does not exist`);
  return builder.pool(found);
}

const origin = { type: z.enum(['cron', 'one_off']), trigger_name: nonEmptyText.optional() };
const scheduledPage = {
  limit: count.optional(),
  offset: count.optional(),
  get_rows_count: z.boolean().default(false),
};
const scheduledStatus = z.enum(['scheduled', 'locked', 'delivered', 'error', 'dead'], {
  error: ({ input }) => (typeof input === 'string' ? `unexpected status: ${input}` : undefined),
});
const scheduledOrder = object({
  column: z.enum(SCHEDULED_COLUMNS),
  type: z.enum(['asc', 'desc']).optional(),
  nulls: z.enum(['first', 'last']).optional(),
});

export const scheduledLogCommands: Commands = {
  get_scheduled_events: command(
    object({
      ...origin,
      ...scheduledPage,
      status: z.array(scheduledStatus).default([]),
      order_by: z.array(scheduledOrder).default([]),
    }),
    async (args, { draft, metadataPool }) => {
      const of = readOrigin(args, draft.state.metadata);
      const order = args.order_by.map(({ column, type, nulls }) => ({ column, direction: type, nulls }));
      const found = await readScheduledEvents(metadataPool, of, args.status, order, pageOf(args));
      return { events: found.rows, ...counted(found.count) };
    },
  ),
  get_scheduled_event_invocations: command(
    object({ ...origin, event_id: z.string().optional(), ...scheduledPage }),
    async (args, { draft, metadataPool }) => {
      const { event_id: event, type } = args;
      const of = event === undefined ? readOrigin(args, draft.state.metadata) : { event, type };
      const found = await readScheduledInvocations(metadataPool, of, pageOf(args));
      return { invocations: found.rows, ...counted(found.count) };
    },
  ),
};

interface Asked {
  readonly type: 'cron' | 'one_off';
  readonly trigger_name?: string | undefined;
}

/** @throws {EngineError} `not-exists` for a cron trigger that is not there */
function readOrigin({ type, trigger_name: name }: Asked, metadata: Metadata): ScheduledOrigin {
  if (type === 'one_off') return type;
  if (name === undefined) throw new EngineError('parse-failed', 'key "trigger_name" not found');
  if (!metadata.cron_triggers.some((trigger) => trigger.name === name))
    throw new EngineError('not-exists', `cron trigger with name: ${name} does not exist`);
  return { cron: name };
}

const pageOf = (args: {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly get_rows_count: boolean;
}) => ({ limit: args.limit, offset: args.offset, count: args.get_rows_count });

const counted = (total: number | undefined) => (total === undefined ? {} : { count: total });

const names = z.array(nonEmptyText).min(1, 'source name list should have atleast one value');
const cleanupTargets = object({
  event_triggers: z.union([
    object({
      sources: z.union([z.literal('*'), names], { error: 'source can be * or a list of source names' }),
    }),
    z
      .array(object({ source_name: source, event_triggers: z.array(nonEmptyText).min(1) }))
      .min(1, 'qualifier list should have atleast one value'),
  ]),
});
type CleanupTargets = z.output<typeof cleanupTargets>['event_triggers'];

/** As in Hasura's Community Edition: whether logs are to be cleaned is kept, but nothing cleans them. */
export const cleanupCommands: Commands = {
  cleanup_event_trigger_logs: command(
    object({
      event_trigger_name: nonEmptyText,
      source_name: source,
      batch_size: count.optional(),
      clear_older_than: count,
      timeout: count.optional(),
      clean_invocation_logs: z.boolean().optional(),
    }),
    () => {
      throw new EngineError('not-supported', 'Event log cleanup feature is enterprise edition only');
    },
  ),
  pause_event_trigger_cleanups: command(cleanupTargets, (args, context) =>
    pauseCleanups(args, true, context),
  ),
  resume_event_trigger_cleanups: command(cleanupTargets, (args, context) =>
    pauseCleanups(args, false, context),
  ),
};

async function pauseCleanups(
  { event_triggers: targets }: { readonly event_triggers: CleanupTargets },
  paused: boolean,
  { draft }: CommandContext,
) {
  let { metadata } = draft.state;
  const chosen = Array.isArray(targets)
    ? targets.map((target) => ({ name: target.source_name, triggers: target.event_triggers }))
    : (targets.sources === '*' ? metadata.sources.map(({ name }) => name) : targets.sources).map((name) => ({
        name,
        triggers: undefined,
      }));
  for (const { name, triggers } of chosen) {
    if (!metadata.sources.some((one) => one.name === name))
      throw new EngineError('not-exists', `source with name ${name} does not exists`);
    for (const trigger of triggers ?? []) checkCleanup(metadata, name, trigger);
    metadata = withSource(metadata, name, (one) => ({
      ...one,
      tables: one.tables.map((table) => ({
        ...table,
        event_triggers: table.event_triggers.map((trigger) =>
          triggers?.includes(trigger.name) === false ? trigger : withCleanup(trigger, paused),
        ),
      })),
    }));
  }
  await draft.change(metadata);
  return SUCCESS;
}

/** @throws {EngineError} `not-exists` */
function checkCleanup(metadata: Metadata, name: string, trigger: string): void {
  const found = findSource(metadata, name)
    .tables.flatMap((table) => table.event_triggers)
    .find((one) => one.name === trigger);
  if (found === undefined) throw new EngineError('not-exists', `event trigger "${trigger}" does not exist`);
  if (found.cleanup_config === undefined)
    throw new EngineError('not-exists', `cleanup config does not exist for ${trigger}`);
}

function withCleanup(trigger: EventTrigger, paused: boolean): EventTrigger {
  const { cleanup_config: config } = trigger;
  return config === undefined ? trigger : { ...trigger, cleanup_config: { ...config, paused } };
}
