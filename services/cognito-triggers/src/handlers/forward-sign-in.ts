import type { Context, PostAuthenticationTriggerEvent, PostConfirmationTriggerEvent } from 'aws-lambda';
import { readForwardingConfig } from '#config.ts';
import { createForward } from '#forward.ts';
import { createForwardSignIn } from '#forward-sign-in.ts';
import { log } from '#log.ts';

const { config, problem } = readForwardingConfig();
if (problem !== undefined) log('error', `${problem} Until then nothing is forwarded.`);
const forwardSignIn = createForwardSignIn(config && createForward(config), log);

/** The Lambda function latchkey-forward-sign-in. */
export const handler = (
  event: PostConfirmationTriggerEvent | PostAuthenticationTriggerEvent,
  context: Context,
): Promise<object> => forwardSignIn(event, context);
