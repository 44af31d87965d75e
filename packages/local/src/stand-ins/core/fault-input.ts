import { z } from 'zod';

/** What can be done to a webhook on its way. */
export const WEBHOOK_FAULTS = ['drop', 'lose', 'duplicate', 'delay', 'reorder'] as const;
/** What can be done to a call of the provider's API. */
export const CALL_FAULTS = ['429', '500', 'timeout'] as const;
const KINDS = [...WEBHOOK_FAULTS, ...CALL_FAULTS] as const;

/** How long each waits where nothing else is said. */
const DEFAULT_MS: Partial<Record<(typeof KINDS)[number], number>> = {
  delay: 1_000,
  reorder: 1_000,
  timeout: 30_000,
};
const LONGEST_MS = 600_000;

/** Names with commas between them, as a form has them, or a list, as JSON has them. */
const patterns = z.union([z.array(z.string()), z.string().transform((text) => text.split(','))]);

const FIELDS = z.strictObject({
  fault: z.coerce.string().pipe(z.enum(KINDS, { error: `must be one of ${KINDS.join(', ')}` })),
  times: z.coerce.number('must be how often it is to be applied').int().min(1).optional(),
  probability: z.coerce.number('must be from 0 to 1').min(0).max(1).default(1),
  seed: z.coerce.number('must be a whole number').int().default(1),
  types: patterns.optional(),
  paths: patterns.optional(),
  ms: z.coerce.number('must be milliseconds').int().min(0).max(LONGEST_MS).optional(),
  retry_after: z.coerce.number('must be seconds').int().min(0).default(1),
});

/** A fault as `POST /faults` takes it: a form or JSON. */
export const FAULT_INPUT = FIELDS.transform(({ types, paths, ms, ...input }, context) => {
  const isOfWebhooks = WEBHOOK_FAULTS.some((kind) => kind === input.fault);
  if (isOfWebhooks && paths !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['paths'],
      message: `is for calls: ${input.fault} takes types`,
    });
  }
  if (!isOfWebhooks && types !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['types'],
      message: `is for webhooks: ${input.fault} takes paths`,
    });
  }
  return { ...input, types: types ?? ['*'], paths: paths ?? ['*'], ms: ms ?? DEFAULT_MS[input.fault] ?? 0 };
});

export type FaultInput = z.infer<typeof FAULT_INPUT>;

export interface Fault extends FaultInput {
  readonly id: number;
  /** How often it has been applied. */
  applied: number;
}
