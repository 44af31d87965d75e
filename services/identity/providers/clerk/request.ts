import { z } from 'zod';
import { isStorable, storableJson } from '../../core/payload.ts';
import type { Json } from '../../core/records.ts';
import { fetchWithoutRedirects, RedirectError } from '../../core/redirects.ts';

/** The version of the Backend API whose answers are read here. */
const API_VERSION = '2026-05-12';

/** One call of Clerk's Backend API. */
export interface ClerkRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** The parts of the path behind `/v1`, as they are: `['users', 'user_2…']`. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, string>>;
}

/** Clerk answers, but not with what was asked for. */
export class ClerkRefusal extends Error {
  override readonly name = 'ClerkRefusal';
  readonly status: number;
  /** Clerk's own codes, such as `resource_not_found`; none where it is not Clerk that answers. */
  readonly codes: readonly string[];
  /** In seconds, where Clerk tells when to ask again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, codes: readonly string[] = [], retryAfter?: number) {
    super(`status ${status}${codes.length > 0 ? ` (${codes.join(', ')})` : ''}`);
    this.status = status;
    this.codes = codes;
    this.retryAfter = retryAfter;
  }
}

/** Nothing, or no whole answer, comes back. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Something answers with success, but not with what was asked for; the message says with what. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

const REFUSAL = z.object({ errors: z.array(z.object({ code: z.string().regex(/^\w{1,100}$/) })) });

const send = fetchWithoutRedirects('CLERK_API_URL');

/**
 * Makes a call once. Clerk's own client is not used: it takes a list only if it understands all of its
 * items, tells no cause where nothing answers, and cannot be told to give up.
 *
 * @param apiUrl where the Backend API is, without `/v1`
 * @returns the JSON of the answer, fit to be stored
 * @throws ClerkRefusal, NoAnswer, UnexpectedAnswer, RedirectError
 */
export async function sendRequest(
  { secretKey, apiUrl }: { readonly secretKey: string; readonly apiUrl: string },
  { method = 'GET', path, query = {}, body }: ClerkRequest,
  signal: AbortSignal,
): Promise<Json> {
  // In a URL these lead elsewhere however they are written; Clerk has given them to nobody.
  if (path.some((part) => /^\.{0,2}$/.test(part))) throw new ClerkRefusal(404, ['resource_not_found']);
  const url = new URL(`${apiUrl}/v1/${path.map(encodeURIComponent).join('/')}`);
  url.search = new URLSearchParams(query).toString();
  let response: Response;
  let text: string;
  try {
    response = await send(url, {
      method,
      signal,
      headers: {
        authorization: `Bearer ${secretKey}`,
        'clerk-api-version': API_VERSION,
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': 'latchkey',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (cause) {
    if (cause instanceof RedirectError) throw cause;
    throw new NoAnswer('no answer', { cause });
  }
  const value = parsed(text);
  if (!response.ok) {
    const codes = REFUSAL.safeParse(value).data?.errors.map(({ code }) => code);
    throw new ClerkRefusal(response.status, codes, secondsOf(response.headers.get('retry-after')));
  }
  if (value === undefined) throw new UnexpectedAnswer('something that is not JSON');
  return value;
}

function parsed(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return isStorable(text) ? value : storableJson(value);
  } catch {
    return undefined;
  }
}

function secondsOf(retryAfter: string | null): number | undefined {
  const seconds = Number(retryAfter ?? Number.NaN);
  return seconds >= 0 ? seconds : undefined;
}
