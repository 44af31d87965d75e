/** What of a client's headers goes on to a webhook that asks for them. */
import { findHeader, type HeaderList } from '#base/headers.ts';
import { SESSION_PREFIX } from '#base/session.ts';
import type { HeaderPairs } from './env-template.ts';

const FORWARDED_AS = [
  ['host', 'X-Forwarded-Host'],
  ['user-agent', 'X-Forwarded-User-Agent'],
  ['origin', 'X-Forwarded-Origin'],
] as const;

/**
 * Session variables, the admin secret among them, do not go to webhooks as headers.
 * @param ignored names, in any case
 */
export function clientHeaders(headers: HeaderList, ignored: readonly string[]): HeaderPairs {
  const left = new Set(ignored.map((name) => name.toLowerCase()));
  const aliases = FORWARDED_AS.flatMap(([name, alias]) => {
    const value = findHeader(headers, name);
    return value === undefined ? [] : [[alias, value] as const];
  });
  const others = headers.filter(([name]) => {
    const key = name.toLowerCase();
    return !left.has(key) && !key.startsWith(SESSION_PREFIX);
  });
  return [...aliases, ...others];
}
