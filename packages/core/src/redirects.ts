/** What a server may answer to send a client elsewhere. */
const REDIRECTS = [301, 302, 303, 307, 308];

/** A request with a secret was answered with a redirect. The message names the fix, and has no full stop. */
export class RedirectError extends Error {
  override readonly name = 'RedirectError';
}

/**
 * Tells what to do about an answer that is a redirect; undefined for any other answer.
 *
 * @param setting what holds the address that was asked, such as `HASURA_GRAPHQL_ENDPOINT`
 * @param asked the URL that was asked
 * @param location the answer's `Location`, absolute or relative; of it only origin and path are told
 */
export function describeRedirect(
  setting: string,
  asked: string | URL,
  status: number,
  location: string | null | undefined,
): string | undefined {
  if (!REDIRECTS.includes(status)) return undefined;
  const from = new URL(asked);
  const to = location ? URL.parse(location, from.href) : null;
  // On the same server only the path tells them apart.
  const target = to === null ? 'nowhere' : to.origin === from.origin ? to.origin + to.pathname : to.origin;
  return `${setting} redirects to ${target}: set it to the final address, as secrets are not sent on to another`;
}

/**
 * `fetch` for requests that carry a secret. By itself `fetch` follows a redirect, and sends most headers along
 * to whatever address it names.
 *
 * @param setting what holds the address, for the message
 * @param send another transport, for tests
 * @returns a `fetch` that throws {@link RedirectError} where the answer is a redirect
 */
export function fetchWithoutRedirects(setting: string, send: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const response = await send(input, { ...init, redirect: 'manual' });
    const asked = input instanceof Request ? input.url : input;
    const problem = describeRedirect(setting, asked, response.status, response.headers.get('location'));
    if (problem === undefined) return response;
    await response.body?.cancel();
    throw new RedirectError(problem);
  };
}
