/** What a request asks for, as Hasura's server reads it: no dot is resolved, empty segments do not count. */

export interface RequestTarget {
  /** Decoded. */
  readonly segments: readonly string[];
  /** The segments, each behind a `/`; '' for the root. A slash within one is encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** @param target of the request line: a path with a query string, or a whole URL */
export function parseTarget(target: string): RequestTarget {
  const local = target.replace(/^https?:\/\/[^/?]*/, '');
  const question = local.indexOf('?');
  const path = question === -1 ? local : local.slice(0, question);
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeSegment);
  return {
    segments,
    path: segments.map((segment) => `/${segment.replaceAll('/', '%2F')}`).join(''),
    query: new URLSearchParams(question === -1 ? '' : local.slice(question + 1)),
  };
}

/** As it stands where it is not properly encoded. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
