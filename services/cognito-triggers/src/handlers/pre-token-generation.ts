import type { PreTokenGenerationTriggerEvent, PreTokenGenerationV2TriggerEvent } from 'aws-lambda';
import { LEAST_CLAIMS, readClaimsConfig } from '#config.ts';
import { log } from '#log.ts';
import { createPreToken } from '#pre-token.ts';

const { config, problem } = readClaimsConfig();
if (problem !== undefined) {
  log(
    'error',
    `${problem} Until then the tokens of people carry the role user alone, those of machines nothing.`,
  );
}
const preToken = createPreToken(config ?? LEAST_CLAIMS, log);

/** The Lambda function latchkey-pre-token-generation. */
export const handler = (
  event: PreTokenGenerationTriggerEvent | PreTokenGenerationV2TriggerEvent,
): Promise<object> => preToken(event);
