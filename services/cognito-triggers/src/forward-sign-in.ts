import type { Forward } from './forward.ts';
import { signInHint } from './hint.ts';
import type { Invocation } from './invocation.ts';
import type { Log } from './log.ts';

/** Of the 5 seconds that Cognito gives, some pass before the function starts. */
const MOST_MS = 3_000;
const ATTEMPT_MS = 2_000;
/** What is left for returning the event. */
const RESERVE_MS = 500;

/**
 * Makes the function of the Post confirmation and Post authentication triggers. It never throws: a
 * person signs in whether our service is up or not. What is lost then, the next sign-in or the next
 * reconcile brings.
 *
 * @param forward undefined where the configuration cannot be read
 */
export function createForwardSignIn(
  forward: Forward | undefined,
  log: Log,
): <E>(event: E, invocation: Invocation) => Promise<E> {
  return async (event, invocation) => {
    const forwarded = signInHint(event, invocation.awsRequestId, new Date());
    if (forward === undefined || forwarded === undefined) return event;
    const { type } = forwarded.hint;
    try {
      const budgetMs = Math.min(MOST_MS, invocation.getRemainingTimeInMillis() - RESERVE_MS);
      await forward(forwarded, { budgetMs, attemptMs: ATTEMPT_MS });
      log('info', 'Forwarded.', { type, id: forwarded.id });
    } catch (error) {
      log('error', error instanceof Error ? error.message : 'unknown', { type, id: forwarded.id });
    }
    return event;
  };
}
