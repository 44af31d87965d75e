/** Something asked of the directory that is not in it. */
export class NotFoundError extends Error {
  override name = 'NotFoundError';
}

/** An e-mail address that another user has. */
export class TakenError extends Error {
  override name = 'TakenError';
}

/** A user who is banned or locked, and so gets no session and no token. */
export class KeptOutError extends Error {
  override name = 'KeptOutError';
  /** As Clerk names it: `user_banned` or `user_locked`. */
  readonly code: string;

  constructor(code: string) {
    super(`The user is kept out (${code}).`);
    this.code = code;
  }
}

/** @throws NotFoundError */
export function found<T>(value: T | undefined, what: string, id: string): T {
  if (value === undefined) throw new NotFoundError(`There is no ${what} ${id}.`);
  return value;
}
