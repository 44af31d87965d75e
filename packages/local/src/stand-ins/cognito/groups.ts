import { z } from 'zod';
import type { Call } from './call.ts';

const PRE_TOKEN = z.looseObject({
  triggerSource: z.string().startsWith('TokenGeneration_'),
  userPoolId: z.string(),
  userName: z.string(),
  request: z.looseObject({}),
});
const GROUPS = z.object({ Groups: z.array(z.object({ GroupName: z.string() })).default([]) });

/** Completes the event before a token: cognito-local leaves the groups out that Cognito puts into it. */
export function withGroups(call: Call): (event: unknown) => Promise<unknown> {
  return async (event) => {
    const preToken = PRE_TOKEN.safeParse(event).data;
    if (preToken === undefined) return event;
    const { userPoolId: UserPoolId, userName: Username } = preToken;
    const { Groups } = GROUPS.parse(await call('AdminListGroupsForUser', { UserPoolId, Username }));
    const groupConfiguration = { groupsToOverride: Groups.map(({ GroupName }) => GroupName) };
    return { ...preToken, request: { ...preToken.request, groupConfiguration } };
  };
}
