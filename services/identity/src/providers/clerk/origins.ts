import { list } from '@latchkey/core/settings/fields';

/**
 * Several origins with commas between them, each as a browser sends it: scheme, host and a port that is not
 * the scheme's own. They are compared letter for letter, so what is written in another way is refused.
 */
export const origins = list.superRefine((texts, context) => {
  for (const text of texts) {
    const problem = problemOf(text);
    if (problem !== undefined) context.addIssue(problem);
  }
});

function problemOf(text: string): string | undefined {
  if (text.includes('*')) return 'takes no wildcards: list each origin, or leave it empty to accept all';
  const origin = originOf(text);
  if (origin === text) return undefined;
  if (origin === undefined)
    return 'must be origins such as https://app.example.com, with commas between them';
  return `must be origins, without a slash or path at the end: write ${origin} instead`;
}

/** The origin that is probably meant, without what a secret could be in. */
function originOf(text: string): string | undefined {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = URL.parse(hasScheme ? text : `https://${text}`);
  if (url === null || url.host === '') return undefined;
  if (/^https?:$/.test(url.protocol)) return url.origin;
  // Those of browser extensions and apps; `URL` calls their origin "null".
  return `${url.protocol}//${url.host}`;
}
