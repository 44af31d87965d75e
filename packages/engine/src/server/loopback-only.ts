/** Who is answered by an engine without an admin secret: programs and pages of this machine. */
import type { IncomingHttpHeaders } from 'node:http';
import { type EngineConfig, isLoopbackHost } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';

const hostOf = (url: string): string => URL.parse(url)?.hostname ?? '';

/**
 * Without an admin secret whoever is answered is admin, and so any web page that the developer has open could
 * be: it can send requests to this machine, and by a name of its own that leads here read the answers too.
 *
 * @returns the refusal for a request that came by another name than one of this machine (`Host`), or from a page
 *   of another host (`Origin`, or `Sec-Fetch-Site` where the browser sends no origin); undefined for any other
 */
export function refuseForeign(
  { adminSecrets }: Pick<EngineConfig, 'adminSecrets'>,
  { host = '', origin, 'sec-fetch-site': site }: IncomingHttpHeaders,
): EngineError | undefined {
  if (adminSecrets.length > 0) return undefined;
  const isLocalPage =
    origin === undefined ? site !== 'cross-site' : /^https?:/.test(origin) && isLoopbackHost(hostOf(origin));
  if (isLocalPage && isLoopbackHost(hostOf(`http://${host}`))) return undefined;
  return new EngineError(
    'access-denied',
    'without HASURA_GRAPHQL_ADMIN_SECRET this engine answers programs and pages of this machine alone: call it by http://127.0.0.1 or http://localhost, or start it with an admin secret',
    { status: 403 },
  );
}
