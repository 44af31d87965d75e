import { fetchWithoutRedirects, RedirectError } from '@latchkey/core/redirects';
import { z } from 'zod';
import { isStorable, storableJson } from '#core/payload.ts';
import type { Json } from '#core/records.ts';

/** The version of the Backend API whose answers are read here. */
const API_VERSION = '2026-05-12';

/** What to read of Clerk's Backend API. */
export interface ClerkRequest {
  /** The parts of the path behind `/v1`, as they are: `['users', 'user_2…']`. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
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
 * Reads once. Lists and look-ups are read here and not by Clerk's own client, which turns each item into an
 * object of its own and fails for a whole list where one item is odd (what people do with their account goes by
 * that client: see client.ts).
 *
 * @param apiUrl where the Backend API is, without `/v1`
 * @returns the JSON of the answer, fit to be stored
 * @throws ClerkRefusal, NoAnswer, UnexpectedAnswer, RedirectError
 */
export async function sendRequest(
  { secretKey, apiUrl }: { readonly secretKey: string; readonly apiUrl: string },
  { path, query = {} }: ClerkRequest,
  signal: AbortSignal,
): Promise<Json> {
  // In a URL these lead elsewhere however they are written; Clerk has given them to nobody.
  if (path.some((part) => /^\.{0,2}$/.test(part))) throw notFound();
  const url = new URL(`${apiUrl}/v1/${path.map(encodeURIComponent).join('/')}`);
  url.search = new URLSearchParams(query).toString();
  let response: Response;
  let text: string;
  try {
    response = await send(url, {
      signal,
      headers: {
        authorization: `Bearer ${secretKey}`,
        'clerk-api-version': API_VERSION,
        accept: 'application/json',
        'user-agent': 'latchkey',
      },
    });
    text = await response.text();
  } catch (cause) {
    throw requestFailure(cause);
  }
  const value = parseAnswer(text);
  if (!response.ok) {
    throw new ClerkRefusal(response.status, codesOf(value), secondsOf(response.headers.get('retry-after')));
  }
  if (value === undefined) throw new UnexpectedAnswer('something that is not JSON');
  return value;
}

/** What Clerk would say of an id that it has given to nobody. */
export function notFound(): ClerkRefusal {
  return new ClerkRefusal(404, ['resource_not_found']);
}

/** Clerk's own codes in a refusal; none where it is not Clerk's. */
export function codesOf(refusal: unknown): string[] | undefined {
  return REFUSAL.safeParse(refusal).data?.errors.map(({ code }) => code);
}

/** @param cause what `fetch` threw */
export function requestFailure(cause: unknown): RedirectError | NoAnswer {
  return cause instanceof RedirectError ? cause : new NoAnswer('no answer', { cause });
}

/** @returns the JSON of a text, fit to be stored; undefined for what is not JSON */
export function parseAnswer(text: string): Json | undefined {
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
