import { join } from 'node:path';
import { z } from 'zod';
import { createSigningKey, type SigningKey } from '#stand-ins/core/signing-key.ts';
import { createStateFile } from '#stand-ins/core/state-file.ts';

/** cognito-local puts this name into every token. */
const KEY_ID = 'CognitoLocal';

/** The key with which the local Cognito of this folder signs, made where there is none yet. */
export async function keptSigningKey(directory: string): Promise<SigningKey> {
  const schema = z.record(z.string(), z.unknown());
  const file = createStateFile(join(directory, 'signing-key.json'), schema, 'Cognito');
  const key = await createSigningKey(KEY_ID, await file.read());
  await file.write({ ...key.privateJwk });
  return key;
}
