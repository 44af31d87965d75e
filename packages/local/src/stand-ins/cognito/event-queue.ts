import type { Trigger } from '@latchkey/cognito-triggers/build';
import { z } from 'zod';
import { createDeliveryQueue, type DeliveryQueue } from '#stand-ins/core/delivery-queue.ts';
import type { Endpoint } from '#stand-ins/core/endpoint.ts';
import type { LocalLambda } from './lambda.ts';

/** As AWS invokes a function that failed on an event: twice more. Its waits are minutes. */
const EVENT_RETRY_MS = [200, 1_000];
/** More than a function may take. */
const TIMEOUT_MS = 10_000;

const EVENT = z.object({ detail: z.object({ eventName: z.string() }) });

/**
 * EventBridge's part: the events that match its rule, on their way to the function that forwards them. What
 * happens to them after that is the business of the webhooks' way.
 */
export function createEventQueue(
  lambda: LocalLambda,
  endpoint: Endpoint,
  onLine?: (line: string) => void,
): DeliveryQueue<object> {
  return createDeliveryQueue<object>({
    endpoint,
    typeOf: (event) => EVENT.parse(event).detail.eventName,
    async attempt(event) {
      try {
        await lambda.invoke('forward-event' satisfies Trigger, event);
        return 200;
      } catch (error) {
        onLine?.(String(error));
        return undefined;
      }
    },
    scheduleMs: EVENT_RETRY_MS,
    timeoutMs: TIMEOUT_MS,
    turns: { concurrency: Number.POSITIVE_INFINITY },
  });
}
