/** What is wrong with a trigger of the metadata, given the database and the environment. */

import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import type { CronTrigger, EventTrigger, Metadata } from '#metadata/types.ts';
import { fillTemplate, resolveHeaders } from '#outgoing/env-template.ts';
import { type CatalogTable, tableKey } from '#postgres/catalog.ts';
import type { ConnectedSource } from '#storage/sources.ts';
import type { Json } from '#values/json.ts';
import { LONGEST_NAME, missingColumns } from './event-trigger-sql.ts';

/** Why the trigger cannot run; undefined: it can. */
export function checkCronTrigger(trigger: CronTrigger, env: Environment): string | undefined {
  return reasonOf(() => {
    fillTemplate(trigger.webhook, env);
    resolveHeaders(trigger.headers, env);
  });
}

/** Why the trigger cannot run; undefined: it can. */
export function checkEventTrigger(
  trigger: EventTrigger,
  table: CatalogTable,
  env: Environment,
): string | undefined {
  if (trigger.name.length > LONGEST_NAME || !/^[a-zA-Z0-9_-]+$/.test(trigger.name)) {
    return `event trigger name "${trigger.name}" must be of letters, digits, - and _, at most ${LONGEST_NAME}`;
  }
  const { insert, update, delete: removal } = trigger.definition;
  const views = table.kind === 'view' || table.kind === 'materialized view';
  if (views && [insert, update, removal].some((operation) => operation !== undefined)) {
    return `event trigger "${trigger.name}" cannot be created on a view`;
  }
  for (const operation of [insert, update, removal]) {
    if (operation === undefined) continue;
    const [missing] = [
      ...missingColumns(table, operation.columns),
      ...missingColumns(table, operation.payload ?? '*'),
    ];
    if (missing !== undefined) return `column "${missing}" does not exist`;
  }
  return reasonOf(() => {
    if (trigger.webhook !== undefined) fillTemplate(trigger.webhook, env);
    else if (trigger.webhook_from_env !== undefined) fillTemplate(`{{${trigger.webhook_from_env}}}`, env);
    else throw new EngineError('unexpected', 'must provide webhook or webhook_from_env');
    resolveHeaders(trigger.headers, env);
  });
}

function reasonOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
}

/** How inconsistencies name objects; the API has the names. */
export interface TriggerNames {
  cronTrigger(name: string): string;
  eventTrigger(source: string, table: CatalogTable['name'], name: string): string;
}

/** All triggers that cannot run, for the list of inconsistent objects. */
export function checkTriggers(
  metadata: Metadata,
  sources: readonly ConnectedSource[],
  env: Environment,
  names: TriggerNames,
): InconsistentObject[] {
  const cron = metadata.cron_triggers.flatMap((trigger) => {
    const reason = checkCronTrigger(trigger, env);
    return reason === undefined
      ? []
      : [inconsistent('cron_trigger', names.cronTrigger(trigger.name), reason, { ...trigger })];
  });
  const events = sources.flatMap((source) =>
    source.metadata.tables.flatMap((entry) => {
      const table = source.catalog.tables.get(tableKey(entry.table));
      if (table === undefined) return [];
      return entry.event_triggers.flatMap((trigger) => {
        const reason = checkEventTrigger(trigger, table, env);
        const name = names.eventTrigger(source.metadata.name, table.name, trigger.name);
        const definition = {
          configuration: { ...trigger },
          source: source.metadata.name,
          table: { ...table.name },
        };
        return reason === undefined ? [] : [inconsistent('event_trigger', name, reason, definition)];
      });
    }),
  );
  return [...cron, ...events];
}

function inconsistent(type: string, name: string, reason: string, definition: object): InconsistentObject {
  return { type, name, reason: `Inconsistent object: ${reason}`, definition: asJson(definition) };
}

/** Without the keys whose value is undefined. */
function asJson(value: object): Json {
  const parsed: Json = JSON.parse(JSON.stringify(value));
  return parsed;
}
