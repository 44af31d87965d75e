import { LatchkeyError } from '../../core/errors.ts';

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

/** @throws LatchkeyError `provider-unreachable`, whose message names the mend */
export function explain(error: unknown): never {
  if (error instanceof LatchkeyError) throw error;
  const { name, message } = error instanceof Error ? error : new Error('unknown');
  if (name === 'AbortError') throw error;
  throw new LatchkeyError('provider-unreachable', `Cognito’s API does not answer: ${mend(name, message)}`, {
    cause: error,
  });
}

function mend(name: string, message: string): string {
  if (NOT_LET_IN.has(name)) {
    return `it does not let the service in (${name}). Give the service AWS credentials whose policy is deploy/cognito/service-policy.json.`;
  }
  if (isAboutThePool(name, message)) {
    return 'there is no such user pool. Compare COGNITO_USER_POOL_ID with the pool’s Overview → User pool ID.';
  }
  return `${name}. Check COGNITO_USER_POOL_ID, COGNITO_ENDPOINT and the way to AWS, then try again.`;
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

/** Runs `ask`; Cognito's saying that the thing is not there is an answer and no failure. */
export async function orNothing<T>(
  notThere: 'UserNotFoundException' | 'ResourceNotFoundException',
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === notThere && !isAboutThePool(error.name, error.message)) {
      return undefined;
    }
    return explain(error);
  }
}

/** The same pages, with failures explained. A list of something that is not there is empty. */
export async function* explained<T>(pages: AsyncIterable<T>, notThere?: string): AsyncGenerator<T> {
  try {
    yield* pages;
  } catch (error) {
    if (error instanceof Error && error.name === notThere && !isAboutThePool(error.name, error.message))
      return;
    explain(error);
  }
}

/** The same pages. Tokens for the next page are good for a while only, and a wrong one is a wrong parameter. */
export async function* fromKnownStart<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* pages;
  } catch (error) {
    if (!(error instanceof Error && error.name === 'InvalidParameterException')) throw error;
    throw new LatchkeyError(
      'request-invalid',
      'Cognito does not know this cursor any more: start again without it.',
      {
        cause: error,
      },
    );
  }
}
