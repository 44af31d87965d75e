/** Which origins a browser may call from. */
import { ConfigError } from '#base/config.ts';

export type CorsPolicy =
  | { readonly kind: 'all' }
  | { readonly kind: 'disabled'; readonly readCookie: boolean }
  | { readonly kind: 'list'; allows(origin: string): boolean };

interface Wildcard {
  readonly scheme: string;
  readonly host: string;
  readonly port: string | undefined;
}

const DOMAIN = /^([a-zA-Z0-9+.-]+:\/\/)(\*\.)?([^:]+)(?::(\d+))?$/;

/** @param domains `*`, or a comma-separated list of `scheme://host[:port]`, the host perhaps `*.domain` */
export function createCorsPolicy(domains: string, disabled: boolean, readCookie: boolean): CorsPolicy {
  if (disabled) return { kind: 'disabled', readCookie };
  if (domains === '*') return { kind: 'all' };
  const exact = new Set<string>();
  const wildcards: Wildcard[] = [];
  for (const domain of domains.split(',').map((item) => item.trim())) {
    const [, scheme, star, host, port] = DOMAIN.exec(domain) ?? [];
    if (scheme === undefined || host === undefined) {
      throw new ConfigError(
        `HASURA_GRAPHQL_CORS_DOMAIN: invalid domain: '${domain}'. All domains should have scheme + (optional wildcard) host + (optional port)`,
      );
    }
    if (star === undefined) exact.add(domain);
    else wildcards.push({ scheme, host, port });
  }
  return {
    kind: 'list',
    allows(origin) {
      if (exact.has(origin)) return true;
      // The wildcard stands for one label.
      const [, scheme, host, port] = /^([a-zA-Z0-9+.-]+:\/\/)[^.]*\.([^:]+)(?::(\d+))?$/.exec(origin) ?? [];
      return wildcards.some((one) => one.scheme === scheme && one.host === host && one.port === port);
    },
  };
}

/** Headers for an answer to a request from `origin`; none where the origin is not allowed. */
export function corsHeaders(policy: CorsPolicy, origin: string | undefined): Record<string, string> {
  if (origin === undefined || policy.kind === 'disabled') return {};
  if (policy.kind === 'list' && !policy.allows(origin)) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Methods': 'GET,POST,PUT,PATCH,DELETE,OPTIONS',
    'Access-Control-Expose-Headers': 'X-Hasura-Query-Cache-Key,X-Hasura-Query-Family-Cache-Key,Warning',
  };
}

export function preflightHeaders(requested: string | undefined): Record<string, string> {
  return {
    'Access-Control-Max-Age': '1728000',
    'Access-Control-Allow-Headers': requested ?? '',
    'Content-Length': '0',
    'Content-Type': 'text/plain charset=UTF-8',
  };
}
