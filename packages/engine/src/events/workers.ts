/**
 * What the engine does without being asked: cron triggers, one-off scheduled events, event triggers on tables, and
 * the calls of asynchronous actions. Each new state of the metadata is applied; nothing here changes metadata.
 */
import type { Pool } from 'pg';
import { createAsyncActionRunner } from '#actions/async-runner.ts';
import type { EngineConfig } from '#base/config.ts';
import type { Logger } from '#base/log.ts';
import type { EventTrigger, Metadata } from '#metadata/types.ts';
import { tableKey } from '#postgres/catalog.ts';
import type { ConnectedSource } from '#storage/sources.ts';
import { trackActions } from '#tracking/actions.ts';
import { checkCronTrigger, checkEventTrigger } from './check.ts';
import { hasEventLog, installTriggers, prepareEventLog, removeEventLog } from './event-install.ts';
import { createEventRunner, type EventRunner } from './event-runner.ts';
import { rowTriggers } from './event-trigger-sql.ts';
import { createScheduledRunner } from './scheduled.ts';

export interface EventWorkers {
  /**
   * Takes over new metadata; resolves when tables have their triggers and cron triggers their next events.
   * Triggers that {@link checkTriggers} finds inconsistent are left out. A database that fails is logged,
   * not thrown: the metadata is stored by then, and the next call tries again.
   */
  apply(metadata: Metadata, sources: readonly ConnectedSource[]): Promise<void>;
  /** Waits for deliveries under way for `graceMs`; events not delivered by then are left to the next engine. */
  close(graceMs?: number): Promise<void>;
}

interface RunningSource {
  readonly pool: Pool;
  readonly runner: EventRunner;
  /** Names of the event triggers in use. */
  names: readonly string[];
}

const GRACE_MS = 5000;

export function createEventWorkers(metadataPool: Pool, config: EngineConfig, log: Logger): EventWorkers {
  const scheduled = createScheduledRunner(metadataPool, config, log);
  const asyncActions = createAsyncActionRunner(metadataPool, config, log);
  const running = new Map<string, RunningSource>();

  const applySource = async (source: ConnectedSource, everywhere: ReadonlySet<string>) => {
    const triggers = usableTriggers(source, config);
    const before = running.get(source.metadata.name);
    if (triggers.length === 0) {
      if (before === undefined) return;
      // Cleared metadata leaves no log behind.
      if (!(await hasEventLog(source.pool))) return stop(source.metadata.name);
    }
    await prepareEventLog(source.pool);
    const rows = triggers.flatMap(({ trigger, table }) =>
      rowTriggers(trigger, table, config.stringifyNumericTypes),
    );
    const dropped = before?.names.filter((name) => !everywhere.has(name)) ?? [];
    await installTriggers(source.pool, rows, dropped);
    if (before !== undefined && before.pool !== source.pool) await stop(source.metadata.name);
    const entry = running.get(source.metadata.name) ?? {
      pool: source.pool,
      runner: createEventRunner(source.pool, config, log),
      names: [],
    };
    entry.names = triggers.map(({ trigger }) => trigger.name);
    entry.runner.use(triggers.map(({ trigger }) => trigger));
    running.set(source.metadata.name, entry);
  };
  const stop = async (name: string) => {
    const entry = running.get(name);
    running.delete(name);
    await entry?.runner.close(GRACE_MS);
  };
  const dropSource = async (name: string) => {
    const entry = running.get(name);
    await stop(name);
    // Without its triggers the database would go on writing events that nobody takes.
    if (entry !== undefined) await logged(`source ${name}`, removeEventLog(entry.pool));
  };
  const logged = async (what: string, work: Promise<void>) => {
    try {
      await work;
    } catch (error) {
      log.error('event-trigger', { what, error: error instanceof Error ? error.message : String(error) });
    }
  };

  return {
    async apply(metadata, sources) {
      asyncActions.use(trackActions(metadata, config.env).actions);
      const everywhere = new Set(
        metadata.sources.flatMap(({ tables }) =>
          tables.flatMap((table) => table.event_triggers.map(({ name }) => name)),
        ),
      );
      const gone = [...running.keys()].filter(
        (name) => !metadata.sources.some((source) => source.name === name),
      );
      await Promise.all([
        logged(
          'cron triggers',
          scheduled.apply(
            metadata.cron_triggers.filter((trigger) => checkCronTrigger(trigger, config.env) === undefined),
          ),
        ),
        ...sources.map((source) => logged(`source ${source.metadata.name}`, applySource(source, everywhere))),
        ...gone.map(dropSource),
      ]);
    },
    async close(graceMs = GRACE_MS) {
      await Promise.all([
        scheduled.close(graceMs),
        asyncActions.close(graceMs),
        ...[...running.values()].map(({ runner }) => runner.close(graceMs)),
      ]);
      running.clear();
    },
  };
}

function usableTriggers(source: ConnectedSource, config: EngineConfig) {
  return source.metadata.tables.flatMap((entry) => {
    const table = source.catalog.tables.get(tableKey(entry.table));
    if (table === undefined) return [];
    return entry.event_triggers
      .filter((trigger: EventTrigger) => checkEventTrigger(trigger, table, config.env) === undefined)
      .map((trigger) => ({ trigger, table }));
  });
}
