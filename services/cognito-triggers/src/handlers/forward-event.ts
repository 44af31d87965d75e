import type { Context, EventBridgeEvent } from 'aws-lambda';
import { readForwardingConfig } from '#config.ts';
import { createForward } from '#forward.ts';
import { createForwardEvent } from '#forward-event.ts';
import { log } from '#log.ts';

const { config, problem } = readForwardingConfig();
if (config === undefined) throw new Error(problem);
const forwardEvent = createForwardEvent(createForward(config), log);

/** The Lambda function latchkey-forward-event. */
export const handler = (
  event: EventBridgeEvent<'AWS API Call via CloudTrail', unknown>,
  context: Context,
): Promise<void> => forwardEvent(event, context);
