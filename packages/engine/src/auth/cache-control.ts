/** How long an answer may be kept, from its caching headers. */

/** Seconds of the first `max-age` or `s-maxage`; undefined where there is none. */
export function maxAge(cacheControl: string): number | undefined {
  for (const directive of directives(cacheControl)) {
    const match = /^(?:max-age|s-maxage)=(\d+)$/.exec(directive);
    if (match?.[1] !== undefined) return Number(match[1]);
  }
  return undefined;
}

export function hasDirective(cacheControl: string, name: string): boolean {
  return directives(cacheControl).some((directive) => directive === name || directive.startsWith(`${name}=`));
}

function directives(cacheControl: string): string[] {
  return cacheControl.split(',').map((directive) => directive.trim().toLowerCase());
}

/** Milliseconds since the epoch of an `Expires` header; undefined where it is no date. */
export function parseExpires(expires: string): number | undefined {
  const time = Date.parse(expires);
  return Number.isNaN(time) ? undefined : time;
}
