import type { CognitoHint } from '@latchkey/core/cognito-hint';
import { z } from 'zod';

/** A hint, and the id under which it is delivered: the same each time it is sent. */
export interface Forwarded {
  readonly id: string;
  readonly hint: CognitoHint;
}

const SIGN_IN = z.object({
  triggerSource: z.string(),
  userPoolId: z.string(),
  userName: z.string(),
  request: z.object({ userAttributes: z.object({ sub: z.string() }) }),
});

/** With CloudTrail's own mask for what may be personal. */
const MASKED = 'HIDDEN_DUE_TO_SECURITY_REASONS';

const API_CALL = z.object({
  id: z.string().optional(),
  detail: z.object({
    eventSource: z.literal('cognito-idp.amazonaws.com'),
    eventName: z.string(),
    eventTime: z.string(),
    eventID: z.string().optional(),
    errorCode: z.string().nullish(),
    requestParameters: z
      .object({ userPoolId: z.string().optional(), groupName: z.string().optional() })
      .nullish(),
    additionalEventData: z.object({ sub: z.string().optional() }).nullish(),
  }),
});

/**
 * The triggers that tell of a user. A confirmed new password (`PostConfirmation_ConfirmForgotPassword`)
 * tells nothing: no attribute that is kept changes, and the sign-in that follows is forwarded anyway.
 * And before a sign-up there is nobody yet to read back.
 */
const FORWARDED = new Set(['PostConfirmation_ConfirmSignUp', 'PostAuthentication_Authentication']);

/**
 * What a Post confirmation or a Post authentication event tells the service.
 *
 * @param requestId of this invocation
 * @returns undefined where there is nothing to tell
 */
export function signInHint(event: unknown, requestId: string, now: Date): Forwarded | undefined {
  const parsed = SIGN_IN.safeParse(event);
  if (!parsed.success) return undefined;
  const { triggerSource: type, userPoolId, userName, request } = parsed.data;
  if (!FORWARDED.has(type)) return undefined;
  const { sub } = request.userAttributes;
  return { id: requestId, hint: { type, timestamp: now.toISOString(), data: { userPoolId, sub, userName } } };
}

/**
 * What a call of Cognito's API, as CloudTrail recorded it, tells the service.
 * @returns undefined where there is nothing to tell: the call failed, or it names neither user nor group
 */
export function apiCallHint(event: unknown): Forwarded | undefined {
  const parsed = API_CALL.safeParse(event);
  if (!parsed.success) return undefined;
  const { id, detail } = parsed.data;
  const { sub } = detail.additionalEventData ?? {};
  const { userPoolId, groupName: name } = detail.requestParameters ?? {};
  const groupName = name === MASKED ? undefined : name;
  const deliveryId = detail.eventID ?? id;
  if (detail.errorCode != null || deliveryId === undefined) return undefined;
  if (sub === undefined && groupName === undefined) return undefined;
  return {
    id: deliveryId,
    hint: {
      type: detail.eventName,
      timestamp: detail.eventTime,
      data: {
        ...(userPoolId !== undefined && { userPoolId }),
        ...(sub !== undefined && { sub }),
        ...(groupName !== undefined && { groupName }),
      },
    },
  };
}
