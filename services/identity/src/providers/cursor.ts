import { LatchkeyError } from '@latchkey/core/errors';
import type { z } from 'zod';

/**
 * Where a listing of a provider's directory goes on, from the JSON text that a page of it gave.
 *
 * @param provider its name in messages, such as `Casdoor`
 * @throws LatchkeyError `request-invalid`
 */
export function readCursor<Cursor>(schema: z.ZodType<Cursor>, text: string, provider: string): Cursor {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LatchkeyError(
      'request-invalid',
      `The cursor is not one of ${provider}’s: start again without it.`,
      { cause },
    );
  }
}
