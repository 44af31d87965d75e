import { CLAIMS_NAMESPACE } from '@latchkey/core/jwt-secret';
import { z } from 'zod';
import { type HasuraClaims, machineClaims, rolesOfGroups, userClaims } from './claims.ts';
import type { ClaimsConfig } from './config.ts';
import type { Log } from './log.ts';
import { rolesFromHasura } from './roles-from-hasura.ts';

// The parts of the event that are used. clientMetadata is left alone: the client writes it. So are all
// attributes but sub and those that LATCHKEY_CLAIMS lists, for an app client may let its users write them.
const EVENT = z.object({
  version: z.string().optional(),
  triggerSource: z.string(),
  userPoolId: z.string().min(1),
  callerContext: z.object({ clientId: z.string().nullish() }).optional(),
  request: z.object({
    userAttributes: z
      .object({ sub: z.string().min(1).optional() })
      .catchall(z.unknown())
      .nullish(),
    groupConfiguration: z.object({ groupsToOverride: z.array(z.string()).nullish() }).nullish(),
  }),
  response: z.record(z.string(), z.unknown()).nullish(),
});
type PreTokenEvent = z.infer<typeof EVENT>;

/**
 * Makes the Pre token generation function: adds Hasura's claims to the tokens that are about to be
 * issued, and returns the event as Cognito wants it back. Events of all three versions are understood.
 *
 * It never throws, since that would keep everybody from signing in. Where it cannot tell who signs in,
 * the token gets no claims and Hasura refuses it.
 */
export function createPreToken(config: ClaimsConfig, log: Log): (event: object) => Promise<object> {
  const askHasura =
    config.hasura === undefined ? undefined : rolesFromHasura(config.hasura, config.allowedRoles, log);

  async function claimsFor({ triggerSource, userPoolId, callerContext, request }: PreTokenEvent) {
    if (triggerSource === 'TokenGeneration_ClientCredentials') {
      return machineClaims(callerContext?.clientId ?? '', config);
    }
    const { sub, ...others } = request.userAttributes ?? {};
    if (sub === undefined) return undefined;
    const groups = request.groupConfiguration?.groupsToOverride ?? [];
    const attributes = { ...texts(others), sub };
    const roles = [...rolesOfGroups(groups, config), ...((await askHasura?.(sub)) ?? [])];
    return userClaims({ sub, userPoolId, groups, attributes }, roles, config);
  }

  return async (event) => {
    const parsed = EVENT.safeParse(event);
    const claims = parsed.success ? await claimsFor(parsed.data) : undefined;
    if (!parsed.success || claims === undefined) {
      log('warn', 'The token gets no claims for Hasura: the event names no user and no known machine.', {
        triggerSource: parsed.data?.triggerSource,
      });
      return event;
    }
    return { ...event, response: responseTo(parsed.data, claims) };
  };
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(values);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])),
  );
}

function responseTo(event: PreTokenEvent, claims: HasuraClaims): Record<string, unknown> {
  if (!understandsObjects(event)) {
    // Of a V1_0 answer Cognito takes texts alone.
    return {
      claimsOverrideDetails: { claimsToAddOrOverride: { [CLAIMS_NAMESPACE]: JSON.stringify(claims) } },
    };
  }
  // groupOverrideDetails stays away: an empty one would empty cognito:groups.
  const added = { claimsToAddOrOverride: { [CLAIMS_NAMESPACE]: claims } };
  const isForMachine = event.triggerSource === 'TokenGeneration_ClientCredentials';
  return {
    claimsAndScopeOverrideDetails: {
      ...(!isForMachine && { idTokenGeneration: added }),
      accessTokenGeneration: added,
    },
  };
}

/** V2_0 and V3_0. The field of the response tells it too, where the version does not. */
function understandsObjects({ version, response }: PreTokenEvent): boolean {
  return (
    version === '2' || version === '3' || (response != null && 'claimsAndScopeOverrideDetails' in response)
  );
}
