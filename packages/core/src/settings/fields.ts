import { z } from 'zod';
import { LatchkeyError } from '#errors.ts';

/** What the sections of the configuration are made of. None of them reads the environment itself. */

/** One line for each variable that is wrong, with the fix. */
export function settingsError(error: Pick<z.ZodError, 'issues'>): LatchkeyError {
  const lines = error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}.`);
  return new LatchkeyError('configuration-invalid', lines.join('\n'));
}

/** Absent, `VAR=` and `VAR=" "` mean the same: compose files pass on empty ones. */
export const setting = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (typeof value === 'string' && value.trim() === '' ? undefined : value), schema);

const whole = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(message).int(message).min(min, message).max(max, message);
};

export const wholeNumber = (fallback: number, min: number, max: number) =>
  setting(whole(min, max).default(fallback));

export const optionalWholeNumber = (min: number, max: number) => setting(whole(min, max).optional());

/** `true` or `false`; off where it is not given. */
export const flag = setting(
  z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default('false')
    .transform((value) => value === 'true'),
);

/** Without its trailing slashes. */
export const httpUrl = (example: string) =>
  z
    .string()
    .trim()
    .refine(
      (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''),
      `must be an http(s) URL such as ${example}`,
    )
    .refine((text) => {
      const { username, password, search, hash } = URL.parse(text) ?? {};
      return [username, password, search, hash].every((part) => !part);
    }, `must be a URL without user, password, ? and #, such as ${example}`)
    .transform((text) => text.replace(/\/+$/, ''));

/** Several texts with commas between them. */
export const list = z
  .string()
  .transform((text) => text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()])));

/** Bytes for a signing secret, characters for a plain one. */
export const SHORTEST_SECRET = 16;

/** Whether it is a secret of Svix or Standard Webhooks: `whsec_` and base64. */
export function isSigningSecret(text: string): boolean {
  const key = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  return key !== undefined && Buffer.from(key, 'base64').length >= SHORTEST_SECRET;
}

/** Whether any of a provider's variables is set, and so the provider is meant to be used. */
export function isAnySet(values: readonly unknown[]): boolean {
  return values.some((value) => value !== undefined);
}

/** A variable that a provider cannot do without. `fix` says where its value comes from. */
export function needed<T>(value: T | undefined, variable: string, fix: string): T {
  if (value === undefined) {
    throw new LatchkeyError('configuration-invalid', `${variable} is missing: ${fix}.`);
  }
  return value;
}
