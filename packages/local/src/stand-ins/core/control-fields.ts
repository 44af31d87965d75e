import { z } from 'zod';

/** What the control APIs of all stand-ins ask for in the same way. */

export const email = z.string().regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address');

/** Who is meant; each stand-in says how they may be named. */
export const userFields = z.object({ user: z.string() });
