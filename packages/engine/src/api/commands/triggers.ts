/** Event triggers on tables and cron triggers: their definitions. */
import { z } from 'zod';
import { type Commands, command, SUCCESS } from '#api/command.ts';
import { findSource, findTable, sameName, withTable } from '#api/editing/find.ts';
import { objectName } from '#api/editing/names.ts';
import { EngineError } from '#base/errors.ts';
import { insertManualEvent, redeliver } from '#events/event-store.ts';
import { createOneOffEvent, deleteScheduled } from '#events/scheduled-store.ts';
import { parseWith } from '#metadata/parse.ts';
import { header, json, nonEmptyText, object, transform } from '#metadata/primitives.ts';
import {
  cronTrigger,
  eventTrigger,
  type Metadata,
  qualifiedName,
  retryConf,
  type Source,
} from '#metadata/types.ts';

const source = nonEmptyText.default('default');
const columnSpec = z.union([z.literal('*'), z.array(nonEmptyText)]);
const operation = object({ columns: columnSpec, payload: columnSpec.optional() });

const eventFields = object({
  name: nonEmptyText,
  source,
  table: qualifiedName,
  insert: operation.optional(),
  update: operation.optional(),
  delete: operation.optional(),
  enable_manual: z.boolean().optional(),
  retry_conf: json.optional(),
  webhook: z.string().optional(),
  webhook_from_env: z.string().optional(),
  headers: z.array(header).default([]),
  replace: z.boolean().default(false),
  request_transform: transform.optional(),
  response_transform: transform.optional(),
  cleanup_config: transform.optional(),
  trigger_on_replication: z.boolean().optional(),
});
const eventArgs = eventFields.superRefine((args, context) => {
  const problem = eventProblem(args);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

function eventProblem(args: z.output<typeof eventFields>): string | undefined {
  const operations = [args.insert, args.update, args.delete].filter((one) => one !== undefined);
  if (!/^[A-Za-z]+[A-Za-z0-9_-]*$/.test(args.name))
    return 'only alphanumeric and underscore and hyphens allowed for name';
  if (args.name.length > 42) return 'event trigger name can be at most 42 characters';
  if (operations.length === 0 && args.enable_manual !== true)
    return 'atleast one amongst insert/update/delete/enable_manual spec must be provided';
  if (args.webhook !== undefined && args.webhook_from_env !== undefined)
    return 'only one of webhook or webhook_from_env should be given';
  if (args.webhook === undefined && args.webhook_from_env === undefined)
    return 'must provide webhook or webhook_from_env';
  if (operations.some(({ columns }) => columns.length === 0)) return 'found empty column specification';
  if (operations.some(({ payload }) => payload?.length === 0)) return 'found empty payload specification';
  return undefined;
}

/** Under the prefix `pg_`; bare in the old query API. */
export const eventTriggerCommands: Commands = {
  create_event_trigger: command(eventArgs, async (args, { draft }) => {
    const {
      source: owner,
      table,
      insert,
      update,
      delete: remove,
      enable_manual: manual,
      replace,
      ...rest
    } = args;
    const { metadata } = draft.state;
    findTable(metadata, owner, table);
    const before = findTrigger(findSource(metadata, owner), args.name);
    if (before !== undefined && !replace)
      throw new EngineError('already-exists', `Event trigger with name "${args.name}" already exists`);
    if (replace && before === undefined)
      throw new EngineError('not-exists', `event trigger "${args.name}" does not exist`);
    if (before !== undefined && !sameName(before.table, table))
      throw new EngineError('not-supported', 'cannot replace table or schema for trigger');
    const trigger = parseWith(eventTrigger, {
      ...rest,
      definition: { insert, update, delete: remove, enable_manual: manual ?? false },
      retry_conf: rest.retry_conf ?? { num_retries: 0, interval_sec: 10, timeout_sec: 60 },
    });
    await draft.change(
      withTable(metadata, owner, table, (entry) => ({
        ...entry,
        event_triggers: [...entry.event_triggers.filter(({ name }) => name !== args.name), trigger],
      })),
      objectName.eventTrigger(owner, table, args.name),
    );
    return SUCCESS;
  }),
  delete_event_trigger: command(
    object({ source, name: nonEmptyText }),
    async ({ source: owner, name }, { draft }) => {
      const { metadata } = draft.state;
      const table = findTrigger(findSource(metadata, owner), name);
      if (table === undefined) {
        throw new EngineError('not-exists', `event trigger "${name}" does not exist`);
      }
      await draft.change(
        withTable(metadata, owner, table.table, (entry) => ({
          ...entry,
          event_triggers: entry.event_triggers.filter((trigger) => trigger.name !== name),
        })),
      );
      return SUCCESS;
    },
  ),
};

function findTrigger(owner: Source, name: string) {
  return owner.tables.find(({ event_triggers: triggers }) =>
    triggers.some((trigger) => trigger.name === name),
  );
}

const cronArgs = z
  .looseObject({ replace: z.boolean().default(false) })
  .transform(({ replace, ...trigger }) => ({ replace, trigger }));

export const cronTriggerCommands: Commands = {
  create_cron_trigger: command(cronArgs, async ({ replace, trigger: raw }, { draft }) => {
    const trigger = parseWith(cronTrigger, raw);
    const { metadata } = draft.state;
    if (replace) checkCron(metadata, trigger.name);
    else if (metadata.cron_triggers.some(({ name }) => name === trigger.name))
      throw new EngineError('already-exists', `cron trigger with name: ${trigger.name} already exists`);
    await draft.change(
      {
        ...withoutCron(metadata, trigger.name),
        cron_triggers: [...withoutCron(metadata, trigger.name).cron_triggers, trigger],
      },
      objectName.cronTrigger(trigger.name),
    );
    return SUCCESS;
  }),
  delete_cron_trigger: command(object({ name: nonEmptyText }), async ({ name }, { draft }) => {
    const { metadata } = draft.state;
    checkCron(metadata, name);
    await draft.change(withoutCron(metadata, name));
    return SUCCESS;
  }),
  get_cron_triggers: command(z.unknown(), (_, { draft }) => ({
    cron_triggers: draft.state.metadata.cron_triggers.map((trigger) => ({
      ...trigger,
      retry_conf: trigger.retry_conf ?? retryConf.parse({}),
    })),
  })),
};

/** @throws {EngineError} `not-exists` */
function checkCron(metadata: Metadata, name: string): void {
  if (!metadata.cron_triggers.some((trigger) => trigger.name === name))
    throw new EngineError('not-exists', `cron trigger with name: ${name} does not exist`);
}

function withoutCron(metadata: Metadata, name: string): Metadata {
  return { ...metadata, cron_triggers: metadata.cron_triggers.filter((trigger) => trigger.name !== name) };
}

/** Creating events by hand. */
export const eventCommands: Commands = {
  invoke_event_trigger: command(
    object({ source, name: nonEmptyText, payload: json }),
    async ({ source: owner, name, payload }, { draft, builder, session }) => {
      const found = findSource(draft.state.metadata, owner);
      const table = findTrigger(found, name);
      const trigger = table?.event_triggers.find((one) => one.name === name);
      if (table === undefined || trigger === undefined) {
        throw new EngineError('not-exists', `event trigger "${name}" does not exist`);
      }
      if (trigger.definition.enable_manual !== true) {
        throw new EngineError('not-supported', 'manual mode is not enabled for event trigger');
      }
      const id = await insertManualEvent(builder.pool(found), table.table, name, payload, session.variables);
      return { event_id: id };
    },
  ),
  redeliver_event: command(
    object({ source, event_id: nonEmptyText }),
    async ({ source: owner, event_id: id }, { draft, builder }) => {
      await redeliver(builder.pool(findSource(draft.state.metadata, owner)), id);
      return SUCCESS;
    },
  ),
};

export const scheduledEventCommands: Commands = {
  create_scheduled_event: command(
    object({
      webhook: z.string(),
      schedule_at: z.iso.datetime({ offset: true }),
      payload: json.optional(),
      headers: z.array(header).default([]),
      retry_conf: retryConf.optional(),
      comment: z.string().optional(),
      // Accepted and dropped, as by Hasura: its table has no column for them.
      request_transform: transform.optional(),
      response_transform: transform.optional(),
    }),
    async (
      { webhook, schedule_at: scheduleAt, payload, headers, retry_conf: retries, comment },
      { metadataPool },
    ) => {
      const settings = { webhook, scheduleAt, payload, headers, retryConf: retries, comment };
      return { ...SUCCESS, event_id: await createOneOffEvent(metadataPool, settings) };
    },
  ),
  delete_scheduled_event: command(
    object({ type: z.enum(['one_off', 'cron']), event_id: nonEmptyText }),
    async ({ type, event_id: id }, { metadataPool }) => {
      await deleteScheduled(metadataPool, type === 'cron' ? 'cron' : 'oneOff', id);
      return SUCCESS;
    },
  ),
};
