/** Delivers the events of one source: at least once each, in about the order they came. */
import type { Pool } from 'pg';
import type { EngineConfig } from '#base/config.ts';
import type { Logger } from '#base/log.ts';
import { createRunner, type RunnerOptions } from '#jobs/runner.ts';
import type { EventTrigger } from '#metadata/types.ts';
import { deliver } from './delivery.ts';
import { type ClaimedEvent, createEventStore, type EventState } from './event-store.ts';

export interface EventRunner {
  /** From now on delivers for these. */
  use(triggers: readonly EventTrigger[]): void;
  /** Looks for events now. */
  wake(): void;
  close(graceMs: number): Promise<void>;
}

const BATCH = 100;
const WHILE_FULL_MS = 20;
/** With HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL=0; a loop without any pause would keep a processor busy. */
const SHORTEST_PAUSE_MS = 10;
const DEFAULT_TIMEOUT_SECONDS = 60;

export function createEventRunner(pool: Pool, config: EngineConfig, log: Logger): EventRunner {
  const store = createEventStore(pool);
  let triggers: ReadonlyMap<string, EventTrigger> = new Map();

  const handle = async (event: ClaimedEvent, trigger: EventTrigger, signal: AbortSignal) => {
    const outcome = await deliver(
      {
        webhook: webhookOf(trigger),
        headers: trigger.headers,
        body: payload(event, trigger),
        timeoutSeconds: trigger.retry_conf.timeout_sec ?? DEFAULT_TIMEOUT_SECONDS,
        transforms: { request: trigger.request_transform, response: trigger.response_transform },
        sessionVariables: event.session_variables ?? undefined,
        signal,
      },
      config.env,
    );
    // Aborted because the engine closes: neither delivered nor tried; the next engine locks it again.
    if (signal.aborted && !outcome.delivered) return;
    const again =
      !outcome.hopeless &&
      (event.tries < trigger.retry_conf.num_retries || outcome.retryAfterSeconds !== undefined);
    const state: EventState = outcome.delivered ? 'delivered' : again ? 'again' : 'error';
    if (!outcome.delivered) {
      log.warn('event-trigger', { event_id: event.id, trigger: trigger.name, status: outcome.status });
    }
    const delay = outcome.retryAfterSeconds ?? trigger.retry_conf.interval_sec;
    await runner.persist(() => store.record(event, outcome, state, delay));
    if (state === 'again') runner.wake();
  };

  const turn: RunnerOptions['turn'] = async (inFlight, owner) => {
    const idle = Math.max(config.eventsFetchIntervalMs, SHORTEST_PAUSE_MS);
    const names = [...triggers.keys()];
    if (names.length === 0) return idle;
    const limit = Math.min(BATCH, inFlight.free);
    if (limit <= 0) return WHILE_FULL_MS;
    const events = await store.claim(names, await owner.key(), limit);
    for (const event of events) {
      const trigger = triggers.get(event.trigger_name);
      if (trigger !== undefined) inFlight.start(event.id, (signal) => handle(event, trigger, signal));
    }
    return events.length === limit ? 0 : idle;
  };

  const runner = createRunner(pool, log, {
    logType: 'event-trigger',
    limit: config.eventsHttpPoolSize,
    turn,
    release: store.release,
  });
  return {
    use(wanted) {
      triggers = new Map(wanted.map((trigger) => [trigger.name, trigger]));
      runner.wake();
    },
    wake: runner.wake,
    close: runner.close,
  };
}

/** The webhook's template, whether written out or named by a variable. */
function webhookOf(trigger: EventTrigger): string {
  return trigger.webhook ?? `{{${trigger.webhook_from_env ?? ''}}}`;
}

function payload(event: ClaimedEvent, trigger: EventTrigger): string {
  const around = {
    created_at: event.created_at,
    delivery_info: { current_retry: event.tries, max_retries: trigger.retry_conf.num_retries },
    id: event.id,
    table: { name: event.table_name, schema: event.schema_name },
    trigger: { name: event.trigger_name },
  };
  return `{"event":${event.payload},${JSON.stringify(around).slice(1)}`;
}
