/** Runs cron triggers and one-off events: each due event goes to its webhook, once for all engines. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { EngineConfig } from '#base/config.ts';
import type { Logger } from '#base/log.ts';
import { createRunner, type RunnerOptions } from '#jobs/runner.ts';
import { parseSchedule } from '#metadata/cron-schedule.ts';
import { header } from '#metadata/primitives.ts';
import { type CronTrigger, retryConf } from '#metadata/types.ts';
import { deliver, type Outcome } from './delivery.ts';
import { createScheduledStore, type ScheduledKind, type TriggerSchedule } from './scheduled-store.ts';

export interface ScheduledRunner {
  /** Takes over these triggers; resolves when their next events are inserted. */
  apply(triggers: readonly CronTrigger[]): Promise<void>;
  /** Looks for due events now. */
  wake(): void;
  /** Lets deliveries in progress finish for `graceMs`; the others are unlocked. */
  close(graceMs: number): Promise<void>;
}

interface DueEvent {
  readonly kind: ScheduledKind;
  readonly id: string;
  readonly tries: number;
  readonly lateSeconds: number;
  readonly body: string;
  readonly webhook: string;
  readonly headers: CronTrigger['headers'];
  readonly retry: z.output<typeof retryConf>;
  readonly transforms: { readonly request?: unknown; readonly response?: unknown };
}

const PLAN_EVERY_MS = 60_000;
const LONGEST_PAUSE_MS = 10_000;
const SHORTEST_PAUSE_MS = 20;
const MAX_IN_FLIGHT = 100;

const onceSettings = z.object({
  webhook_conf: z.string(),
  header_conf: z
    .array(header)
    .nullish()
    .transform((headers) => headers ?? []),
  retry_conf: retryConf.nullish().transform((conf) => conf ?? retryConf.parse({})),
});

export function createScheduledRunner(pool: Pool, config: EngineConfig, log: Logger): ScheduledRunner {
  const store = createScheduledStore(pool);
  let triggers: ReadonlyMap<string, CronTrigger> = new Map();
  let prepared: Promise<void> | undefined;
  let plannedAt = Number.NEGATIVE_INFINITY;

  const prepare = () => {
    prepared ??= store.prepare().catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };
  const schedules = (): TriggerSchedule[] =>
    [...triggers.values()].flatMap(({ name, schedule }) => {
      const parsed = parseSchedule(schedule);
      return parsed === undefined ? [] : [{ trigger: name, next: parsed.next }];
    });
  const planNow = async (replace: boolean) => {
    await store.plan(schedules(), replace);
    plannedAt = performance.now();
  };

  const handle = async (event: DueEvent, signal: AbortSignal) => {
    if (event.lateSeconds > event.retry.tolerance_seconds) {
      await runner.persist(() => store.setState(event.kind, event.id, 'dead'));
      return;
    }
    const outcome = await deliver(
      {
        webhook: event.webhook,
        headers: event.headers,
        body: event.body,
        timeoutSeconds: event.retry.timeout_seconds,
        transforms: event.transforms,
        sessionVariables: undefined,
        signal,
      },
      config.env,
    );
    // Aborted because the engine closes: neither delivered nor tried; the next engine locks it again.
    if (signal.aborted && !outcome.delivered) return;
    const state = nextState(event, outcome);
    if (!outcome.delivered) {
      log.warn('scheduled-trigger', {
        event_id: event.id,
        status: outcome.status,
        response: outcome.response,
      });
    }
    const delay = outcome.retryAfterSeconds ?? event.retry.retry_interval_seconds;
    await runner.persist(() => store.record(event.kind, event.id, outcome, state, delay));
    if (state === 'scheduled') runner.wake();
  };

  const turn: RunnerOptions['turn'] = async (inFlight, owner) => {
    await prepare();
    if (triggers.size > 0 && performance.now() - plannedAt > PLAN_EVERY_MS) await planNow(false);
    if (inFlight.free <= 0) return SHORTEST_PAUSE_MS;
    const key = await owner.key();
    const due = [
      ...(triggers.size > 0 ? (await store.claimCronEvents([...triggers.keys()], key)).map(tickEvent) : []),
      ...(await store.claimOneOffEvents(key)).map(onceEvent),
    ];
    for (const event of due) {
      if (event === undefined) continue;
      inFlight.start(event.id, (signal) => handle(event, signal));
    }
    const next = (await store.untilNext()) ?? LONGEST_PAUSE_MS;
    return Math.min(Math.max(next, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
  };

  const tickEvent = (
    row: Awaited<ReturnType<typeof store.claimCronEvents>>[number],
  ): DueEvent | undefined => {
    const trigger = triggers.get(row.trigger_name);
    if (trigger === undefined) return undefined;
    return {
      kind: 'cron',
      id: row.id,
      tries: row.tries,
      lateSeconds: row.late_seconds,
      body: JSON.stringify({
        scheduled_time: row.scheduled_time,
        payload: trigger.payload ?? null,
        name: trigger.name,
        id: row.id,
        ...(trigger.comment === undefined ? {} : { comment: trigger.comment }),
      }),
      webhook: trigger.webhook,
      headers: trigger.headers,
      retry: trigger.retry_conf ?? retryConf.parse({}),
      transforms: { request: trigger.request_transform, response: trigger.response_transform },
    };
  };
  const onceEvent = (
    row: Awaited<ReturnType<typeof store.claimOneOffEvents>>[number],
  ): DueEvent | undefined => {
    const settings = onceSettings.safeParse(row);
    if (!settings.success) {
      log.error('scheduled-trigger', {
        event_id: row.id,
        error: 'its webhook, headers or retry settings are not valid',
      });
      void runner.persist(() => store.setState('oneOff', row.id, 'error'));
      return undefined;
    }
    return {
      kind: 'oneOff',
      id: row.id,
      tries: row.tries,
      lateSeconds: row.late_seconds,
      body: JSON.stringify({
        scheduled_time: row.scheduled_time,
        payload: row.payload ?? null,
        id: row.id,
        ...(row.comment === null ? {} : { comment: row.comment }),
        ...(row.created_at === null ? {} : { created_at: row.created_at }),
      }),
      webhook: settings.data.webhook_conf,
      headers: settings.data.header_conf,
      retry: settings.data.retry_conf,
      transforms: {},
    };
  };

  const runner = createRunner(pool, log, {
    logType: 'scheduled-trigger',
    limit: MAX_IN_FLIGHT,
    turn,
    release: (ids) => Promise.allSettled([store.release('cron', ids), store.release('oneOff', ids)]),
  });
  return {
    async apply(wanted) {
      triggers = new Map(wanted.map((trigger) => [trigger.name, trigger]));
      await prepare();
      await planNow(true);
      runner.wake();
    },
    wake: runner.wake,
    close: runner.close,
  };
}

function nextState(event: DueEvent, outcome: Outcome): 'delivered' | 'scheduled' | 'error' {
  if (outcome.delivered) return 'delivered';
  const again = event.tries < event.retry.num_retries || outcome.retryAfterSeconds !== undefined;
  return again && !outcome.hopeless ? 'scheduled' : 'error';
}
