/** Makes the calls of asynchronous actions, at least once each. */
import type { Pool } from 'pg';
import type { EngineConfig } from '../config.ts';
import { createInFlight } from '../events/in-flight.ts';
import { createLoop } from '../events/loop.ts';
import { persistently } from '../events/persistently.ts';
import { createPresence } from '../events/presence.ts';
import type { Logger } from '../log.ts';
import { writeJson } from '../plan/number.ts';
import { callHandler } from './call.ts';
import { createActionLog, type TakenCall } from './log.ts';
import type { TrackedAction } from './types.ts';

export interface AsyncActionRunner {
  /** From now on runs the asynchronous ones among these. */
  use(actions: readonly TrackedAction[]): void;
  /** Looks for calls now. */
  wake(): void;
  close(graceMs: number): Promise<void>;
}

const MAX_IN_FLIGHT = 100;
/** With HASURA_GRAPHQL_ASYNC_ACTIONS_FETCH_INTERVAL=0, which turns calls off. */
const OFF_PAUSE_MS = 60_000;

export function createAsyncActionRunner(pool: Pool, config: EngineConfig, log: Logger): AsyncActionRunner {
  const calls = createActionLog(pool);
  const presence = createPresence(pool);
  const inFlight = createInFlight(MAX_IN_FLIGHT);
  let actions: ReadonlyMap<string, TrackedAction> = new Map();
  let prepared = false;
  let closed = false;
  const failed = (error: unknown) => {
    if (!closed) log.error('action', { error: error instanceof Error ? error.message : String(error) });
  };
  const persist = (write: () => Promise<void>) => persistently(write, failed, () => closed);

  const handle = async (call: TakenCall, action: TrackedAction, signal: AbortSignal) => {
    try {
      const { value } = await callHandler({
        action,
        input: call.input_payload,
        sessionVariables: call.session_variables,
        headers: Object.entries(call.request_headers),
        query: undefined,
        env: config.env,
        signal,
      });
      await persist(() => calls.succeed(call.id, writeJson(value)));
    } catch (error) {
      // Given up because the engine closes: whoever is next takes it again.
      if (!signal.aborted) await persist(() => calls.fail(call.id, error));
    }
  };

  const turn = async (): Promise<number> => {
    const pause = config.asyncActionsFetchIntervalMs;
    if (pause === 0 || actions.size === 0) return OFF_PAUSE_MS;
    if (!prepared) await calls.prepare();
    prepared = true;
    const limit = inFlight.free;
    if (limit <= 0) return pause;
    for (const call of await calls.take([...actions.keys()], await presence.key(), limit)) {
      const action = actions.get(call.action_name);
      if (action !== undefined) inFlight.start(call.id, (signal) => handle(call, action, signal));
    }
    return pause;
  };

  const loop = createLoop(turn, failed);
  return {
    use(all) {
      const asynchronous = all.filter(
        ({ definition }) => definition.type === 'mutation' && definition.kind === 'asynchronous',
      );
      actions = new Map(asynchronous.map((action) => [action.name, action]));
      loop.wake();
    },
    wake: loop.wake,
    async close(graceMs) {
      closed = true;
      await loop.close();
      const left = await inFlight.close(graceMs);
      await calls.giveBack(left).catch(() => {});
      presence.close();
    },
  };
}
