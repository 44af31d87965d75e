import { LatchkeyError } from '@latchkey/core/errors';
import { networkCause } from '@latchkey/core/network-cause';
import { z } from 'zod';
import type { TransientFailure } from '#providers/with-retry.ts';

/** What the SDK and Cognito say where the caller is not let in. */
const NOT_LET_IN = new Set([
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotAuthorizedException',
  'UnrecognizedClientException',
]);
const THROTTLED = new Set(['TooManyRequestsException', 'ThrottlingException', 'RequestLimitExceeded']);

/** The SDK keeps the answer beside the error, with the names of its headers in lower case. */
const ANSWERED = z.object({
  $metadata: z.object({ httpStatusCode: z.number() }).transform(({ httpStatusCode }) => httpStatusCode),
  $response: z
    .object({ headers: z.object({ 'retry-after': z.coerce.number().min(0) }) })
    .transform(({ headers }) => headers['retry-after'])
    .optional()
    .catch(undefined),
});

interface Failure {
  readonly name: string;
  readonly message: string;
  /** Undefined where there was no answer. */
  readonly status: number | undefined;
  /** In seconds. */
  readonly retryAfter: number | undefined;
}

function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : new Error('unknown');
  const { $metadata: status, $response: retryAfter } = ANSWERED.safeParse(error).data ?? {};
  return { name, message, status, retryAfter };
}

/** Nothing that comes back within seconds would make anything of it right. */
const NOT_PASSING = /certificate|TLS/;
/** Where nothing answers at all: after 1, 2, 4 and 8 seconds. */
const UNANSWERED_ATTEMPTS = 5;

/** Whether a call that failed may succeed in a while: throttling, a fault on the other side, no answer. */
export function passing(error: unknown): TransientFailure | undefined {
  const { name, status = 0, retryAfter } = failureOf(error);
  if (status === 429 || THROTTLED.has(name))
    return { retryAfter, reason: `Cognito limits the rate (${name})` };
  if (status >= 500) return { retryAfter, reason: `status ${status} (${name})` };
  const reason = networkCause(error);
  if (name === 'AbortError' || reason === undefined || NOT_PASSING.test(reason)) return undefined;
  return { reason, attempts: UNANSWERED_ATTEMPTS };
}

/**
 * @param address of the API, as far as it is known
 * @throws LatchkeyError `provider-unreachable`, whose message names the fix
 */
export function explain(error: unknown, address: string): never {
  if (error instanceof LatchkeyError) throw error;
  const failure = failureOf(error);
  if (failure.name === 'AbortError') throw error;
  throw new LatchkeyError('provider-unreachable', messageFor(error, failure, address), { cause: error });
}

function messageFor(error: unknown, { name, message, status }: Failure, address: string): string {
  if (NOT_LET_IN.has(name)) {
    return `Cognito’s API (${address}) does not let the service in (${name}). Give the service AWS credentials whose policy is deploy/cognito/service-policy.json.`;
  }
  if (isAboutThePool(name, message)) {
    return `Cognito’s API (${address}) says that there is no such user pool. Compare COGNITO_USER_POOL_ID with the pool’s Overview → User pool ID.`;
  }
  if (status === undefined) {
    return `Cognito’s API does not answer at ${address}: ${networkCause(error) ?? name}. Check COGNITO_USER_POOL_ID, COGNITO_ENDPOINT and the way to it, then try again.`;
  }
  return `Cognito’s API (${address}) answers with status ${status} (${name}). Check COGNITO_USER_POOL_ID and COGNITO_ENDPOINT, then try again.`;
}

/** Groups that are not there and pools that are not there have the same name of error. */
function isAboutThePool(name: string, message: string): boolean {
  return name === 'ResourceNotFoundException' && /user ?pool/i.test(message);
}

/** @throws LatchkeyError `request-invalid` for a value that the pool does not take; all else as it is */
export function notTaken(error: unknown): never {
  if (!(error instanceof Error && error.name === 'InvalidParameterException')) throw error;
  // Cognito's own message may hold the value.
  throw new LatchkeyError('request-invalid', 'Cognito does not take this value of an attribute.', {
    cause: error,
  });
}

export type NotThere = 'UserNotFoundException' | 'ResourceNotFoundException';

/** Whether Cognito says that the thing which was asked for is not there: an answer and no failure. */
export function saysNotThere(error: unknown, notThere: NotThere): boolean {
  return error instanceof Error && error.name === notThere && !isAboutThePool(error.name, error.message);
}

/** Tokens for the next page are good for a while only, and a wrong one is a wrong parameter. */
export function isForgottenStart(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidParameterException';
}

/** @throws LatchkeyError `request-invalid` */
export function forgotten(cause: unknown): never {
  throw new LatchkeyError(
    'request-invalid',
    'Cognito does not know this cursor any more: start again without it.',
    { cause },
  );
}
