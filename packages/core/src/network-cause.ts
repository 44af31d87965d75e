/** What the codes of Node's and OpenSSL's network errors mean to an operator. */
const MEANINGS: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [/^ECONNREFUSED$/, 'the connection is refused: nothing listens there'],
  [/^(?:ENOTFOUND|EAI_AGAIN|EAI_\w+)$/, 'its host name is not found (DNS)'],
  [/^(?:ETIMEDOUT|ESOCKETTIMEDOUT|UND_ERR_\w*TIMEOUT|TimeoutError|ABORT_ERR|AbortError)$/, 'it timed out'],
  [/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'the connection broke off'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/, 'there is no way to its network'],
  [
    /^(?:CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|ERR_TLS_\w+|ERR_SSL_\w+|EPROTO|HOSTNAME_MISMATCH)$/,
    'TLS failed: its certificate or protocol is not accepted',
  ],
];

/** Errors wrap errors, and one that tried several addresses holds one for each. */
const DEEPEST = 6;

/**
 * Why something on the network does not answer, for messages: refused, not found, timed out, TLS. It holds
 * no address, no secret and nothing personal.
 *
 * @param error as `fetch`, a client library or Node threw it; its causes are looked through
 * @returns undefined where it is none of the network's failures
 */
export function networkCause(error: unknown): string | undefined {
  for (const name of namesOf(error, DEEPEST)) {
    const meaning = MEANINGS.find(([pattern]) => pattern.test(name))?.[1];
    if (meaning === undefined) continue;
    return /^[A-Z]\w+$/.test(name) && name !== 'AbortError' ? `${meaning} (${name})` : meaning;
  }
  return undefined;
}

function* namesOf(error: unknown, levels: number): Generator<string> {
  if (levels === 0 || typeof error !== 'object' || error === null) return;
  if ('code' in error && typeof error.code === 'string') yield error.code;
  if ('name' in error && typeof error.name === 'string') yield error.name;
  if ('errors' in error && Array.isArray(error.errors)) {
    for (const one of error.errors) yield* namesOf(one, levels - 1);
  }
  if ('cause' in error) yield* namesOf(error.cause, levels - 1);
}
