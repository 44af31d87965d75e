import type { Forward } from './forward.ts';
import { apiCallHint } from './hint.ts';
import type { Invocation } from './invocation.ts';
import type { Log } from './log.ts';

/** What is left for throwing. */
const RESERVE_MS = 1_000;
/** A deleted group makes the service read its users again. */
const ATTEMPT_MS = 15_000;

/**
 * Makes the function behind the EventBridge rule. It throws what it cannot deliver: AWS then invokes
 * it again, later, and puts what it gives up on into the queue of the dead.
 */
export function createForwardEvent(
  forward: Forward,
  log: Log,
): (event: unknown, invocation: Invocation) => Promise<void> {
  return async (event, invocation) => {
    const forwarded = apiCallHint(event);
    if (forwarded === undefined) {
      log('info', 'Nothing to forward: the call failed, or it names neither a user nor a group.');
      return;
    }
    const budgetMs = invocation.getRemainingTimeInMillis() - RESERVE_MS;
    await forward(forwarded, { budgetMs, attemptMs: ATTEMPT_MS });
    log('info', 'Forwarded.', { type: forwarded.hint.type, id: forwarded.id });
  };
}
