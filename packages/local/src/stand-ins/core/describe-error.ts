import { z } from 'zod';

/** One line on an error: of input that does not fit, each field and what is wrong with it. */
export function describeError(error: unknown): string {
  if (error instanceof z.ZodError) {
    return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
