import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { z } from 'zod';

/** With which CloudTrail covers what may be personal. */
const MASKED = 'HIDDEN_DUE_TO_SECURITY_REASONS';

const INPUT = z.looseObject({
  UserPoolId: z.string().optional(),
  Username: z.string().optional(),
  GroupName: z.string().optional(),
  AccessToken: z.string().optional(),
});
const CREATED = z.object({
  User: z.object({ Attributes: z.array(z.object({ Name: z.string(), Value: z.string().optional() })) }),
});

export type ApiCall = { operation: string; input: z.infer<typeof INPUT>; sub: string | undefined };

/**
 * What is known of a call before it is made, for afterwards its user may be gone.
 *
 * @param subOf looks a user up by name
 */
export async function describeCall(
  operation: string,
  body: unknown,
  subOf: (userPoolId: string, username: string) => Promise<string | undefined>,
): Promise<ApiCall> {
  const input = INPUT.parse(body);
  const { AccessToken, UserPoolId, Username } = input;
  if (AccessToken !== undefined) return { operation, input, sub: decodeJwt(AccessToken).sub };
  const isKnown = UserPoolId !== undefined && Username !== undefined && operation !== 'AdminCreateUser';
  return { operation, input, sub: isKnown ? await subOf(UserPoolId, Username) : undefined };
}

/** The event that CloudTrail would make of a call that succeeded, as EventBridge delivers it. */
export function eventOf({ operation, input, sub }: ApiCall, answer: unknown): object {
  const created = CREATED.safeParse(answer).data?.User.Attributes.find(({ Name }) => Name === 'sub')?.Value;
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const user = sub ?? created;
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.cognito-idp',
    account: '000000000000',
    time: now,
    region: 'local',
    resources: [],
    detail: {
      eventSource: 'cognito-idp.amazonaws.com',
      eventName: operation,
      eventTime: now,
      eventID: randomUUID(),
      requestParameters: {
        ...(input.UserPoolId !== undefined && { userPoolId: input.UserPoolId }),
        ...(input.Username !== undefined && { username: MASKED }),
        ...(input.AccessToken !== undefined && { accessToken: MASKED }),
        ...(input.GroupName !== undefined && { groupName: input.GroupName }),
      },
      responseElements: null,
      ...(user !== undefined && { additionalEventData: { sub: user } }),
    },
  };
}
