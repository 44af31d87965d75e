import { z } from 'zod';

/** A subject's UUID, and nothing that could end the quotes of a filter. */
const sub = z.string().regex(/^[0-9A-Za-z-]{1,128}$/);
const name = z.string().min(1).max(128);

/**
 * What the functions in services/cognito-triggers tell the service: that something happened to a user
 * or to a group of the pool. It carries no state; the service reads that back from Cognito.
 */
export const COGNITO_HINT = z.object({
  /** The trigger's source (`PostConfirmation_ConfirmSignUp`) or the API's operation (`AdminDeleteUser`). */
  type: z.string().min(1).max(255),
  /** When it happened, in ISO 8601. */
  timestamp: z.iso.datetime({ offset: true }),
  data: z.object({
    /** Absent where the operation was called with an access token, which names no pool. */
    userPoolId: z.string().min(1).max(55).optional(),
    sub: sub.optional(),
    /** Known to the pool's own triggers; CloudTrail mostly masks it. It may be personal: never stored. */
    userName: name.optional(),
    groupName: name.optional(),
  }),
});

export type CognitoHint = z.infer<typeof COGNITO_HINT>;
