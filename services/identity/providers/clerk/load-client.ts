import { describeRedirect } from '../../core/redirects.ts';

/** The code of an answer that was a redirect; its `message` says where to. */
export const REDIRECTED = 'latchkey_redirected';

const apiOrigins = new Set<string>();

/**
 * Loads Clerk's client, made to follow no redirect: it would send the secret key on. The client takes no
 * `fetch` of ours but keeps the global one it finds when it is loaded, so that one is replaced first. Requests to
 * any other address pass through unchanged.
 *
 * @param apiUrl where the client is going to send the secret key
 */
export async function loadClerkClient(apiUrl: string): Promise<typeof import('@clerk/backend')> {
  if (apiOrigins.size === 0) globalThis.fetch = refusingRedirects(globalThis.fetch);
  apiOrigins.add(new URL(apiUrl).origin);
  return import('@clerk/backend');
}

function refusingRedirects(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!apiOrigins.has(URL.parse(url)?.origin ?? '')) return send(input, init);
    const response = await send(input, { ...init, redirect: 'manual' });
    const location = response.headers.get('location');
    const message = describeRedirect('CLERK_API_URL', url, response.status, location);
    if (message === undefined) return response;
    await response.body?.cancel();
    // An error of the API, and not one of the connection, after which the client's users try again.
    return Response.json({ errors: [{ code: REDIRECTED, message }] }, { status: response.status });
  };
}
