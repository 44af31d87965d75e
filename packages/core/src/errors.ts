/**
 * Every error that leaves the program has one of these codes.
 *
 * - `status`: the HTTP status it is answered with.
 * - `exit`: the status a command ends with (2 = the caller's mistake, 3 = something else is not there).
 * - `retriable`: the same request may succeed later; over HTTP it is answered with `Retry-After`.
 */
const ERRORS = {
  'configuration-invalid': { status: 500, exit: 2, retriable: false },

  'signature-invalid': { status: 401, exit: 1, retriable: false },
  'secret-invalid': { status: 401, exit: 1, retriable: false },
  'token-invalid': { status: 401, exit: 1, retriable: false },
  'request-invalid': { status: 400, exit: 1, retriable: false },
  'payload-malformed': { status: 400, exit: 1, retriable: false },
  'payload-too-large': { status: 413, exit: 1, retriable: false },
  'headers-too-large': { status: 431, exit: 1, retriable: false },
  'request-timeout': { status: 408, exit: 1, retriable: false },
  'record-refused': { status: 422, exit: 1, retriable: false },
  'not-found': { status: 404, exit: 1, retriable: false },
  'reconcile-under-way': { status: 409, exit: 1, retriable: false },
  'repair-refused': { status: 409, exit: 1, retriable: false },

  'engine-unreachable': { status: 503, exit: 3, retriable: true },
  'engine-busy': { status: 503, exit: 3, retriable: true },
  'engine-refused': { status: 503, exit: 3, retriable: true },
  'provider-unreachable': { status: 503, exit: 3, retriable: true },
  'queue-full': { status: 503, exit: 3, retriable: true },
  'shutting-down': { status: 503, exit: 3, retriable: true },

  internal: { status: 500, exit: 1, retriable: false },
} as const satisfies Record<string, { status: number; exit: number; retriable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An error that was foreseen. Its message names the fix and holds no personal data and no secret,
 * so it may be shown and logged.
 */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  get retriable(): boolean {
    return ERRORS[this.code].retriable;
  }
}
