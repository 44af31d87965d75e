/** Makes the calls of asynchronous actions, at least once each. */
import type { Pool } from 'pg';
import type { EngineConfig } from '#base/config.ts';
import type { Logger } from '#base/log.ts';
import type { TrackedAction } from '#ir/actions.ts';
import { createRunner, type RunnerOptions } from '#jobs/runner.ts';
import { writeJson } from '#values/number.ts';
import { type ClaimedCall, createActionLog } from './action-log.ts';
import { callHandler } from './call.ts';

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
  let actions: ReadonlyMap<string, TrackedAction> = new Map();
  let prepared = false;

  const handle = async (call: ClaimedCall, action: TrackedAction, signal: AbortSignal) => {
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
      await runner.persist(() => calls.succeed(call.id, writeJson(value)));
    } catch (error) {
      // Aborted because the engine closes: the next engine locks it again.
      if (!signal.aborted) await runner.persist(() => calls.fail(call.id, error));
    }
  };

  const turn: RunnerOptions['turn'] = async (inFlight, owner) => {
    const pause = config.asyncActionsFetchIntervalMs;
    if (pause === 0 || actions.size === 0) return OFF_PAUSE_MS;
    if (!prepared) await calls.prepare();
    prepared = true;
    const limit = inFlight.free;
    if (limit <= 0) return pause;
    for (const call of await calls.claim([...actions.keys()], await owner.key(), limit)) {
      const action = actions.get(call.action_name);
      if (action !== undefined) inFlight.start(call.id, (signal) => handle(call, action, signal));
    }
    return pause;
  };

  const runner = createRunner(pool, log, {
    logType: 'action',
    limit: MAX_IN_FLIGHT,
    turn,
    release: calls.release,
  });
  return {
    use(all) {
      const asynchronous = all.filter(
        ({ definition }) => definition.type === 'mutation' && definition.kind === 'asynchronous',
      );
      actions = new Map(asynchronous.map((action) => [action.name, action]));
      runner.wake();
    },
    wake: runner.wake,
    close: runner.close,
  };
}
