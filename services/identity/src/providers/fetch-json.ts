const TIMEOUT_MS = 5_000;

/** Why an answer is not taken; the message goes on after "… cannot be had from <url>". */
export class UnfitAnswer extends Error {
  override readonly name = 'UnfitAnswer';
  /** Undefined where the status is not what is wrong. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Reads a public document of a provider. Redirects are not followed: where they lead would be somebody else's.
 *
 * @param options.most how many bytes it may have
 * @throws UnfitAnswer for another status than 200 and for what is too large, SyntaxError for what is no JSON, and
 *   what `fetch` throws
 */
export async function fetchJson(
  url: string,
  { most, headers = {} }: { readonly most: number; readonly headers?: Readonly<Record<string, string>> },
): Promise<unknown> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/json', ...headers },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    const isRedirect = response.status >= 300 && response.status < 400;
    const why = isRedirect ? ', and redirects are not followed' : '';
    throw new UnfitAnswer(`status ${response.status}${why}`, response.status);
  }
  return JSON.parse(await textOf(response, most));
}

async function textOf(response: Response, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > most) throw new UnfitAnswer(`the answer is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
