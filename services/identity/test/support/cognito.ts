import { text } from 'node:stream/consumers';
import { CLIENT, JSON_OBJECT, type JsonFixture, POOL, SECRET } from '@latchkey/tests/support/cognito';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { onTestFinished } from 'vitest';
import { connectPools, type Pool } from '#providers/cognito/pools.ts';
import type { CognitoConfig } from '#providers/cognito/settings.ts';

export const CONFIG: CognitoConfig = {
  userPoolIds: [POOL],
  clientIds: [CLIENT],
  webhookSecrets: [SECRET],
  tokenUse: 'id',
  triggerVersion: 'V1_0',
  metadataAttributes: [],
  keepsFederatedGroups: false,
  keepsUnconfirmedUsers: false,
  endpoint: undefined,
  issuer: undefined,
  keysUrl: undefined,
  apiEndpoint: undefined,
  credentials: undefined,
};

/** The same with a stand-in at this address. */
export function configAt(url: string, settings: Partial<CognitoConfig> = {}): CognitoConfig {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return { ...CONFIG, endpoint: url, apiEndpoint: url, credentials, ...settings };
}

export interface Call {
  /** `AdminGetUser` and the like. */
  readonly operation: string;
  readonly input: JsonFixture;
}
/** What a call is answered with: 200 and this, or an error by name. */
export type Answer =
  | JsonFixture
  | { readonly error: string; readonly message?: string; readonly status?: number };

/** Cognito's API as the SDK speaks to it; `answer` decides, `calls` tells what was asked. */
export async function serveCognito(
  answer: (call: Call) => Answer | 'never',
): Promise<LocalServer & { readonly calls: Call[] }> {
  const calls: Call[] = [];
  const server = await serve(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const call = { operation, input: JSON_OBJECT.parse(JSON.parse(await text(request))) };
    calls.push(call);
    const answered = answer(call);
    if (answered === 'never') return;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if ('error' in answered) {
      response.statusCode = typeof answered.status === 'number' ? answered.status : 400;
      response.end(JSON.stringify({ __type: answered.error, message: answered.message ?? 'No.' }));
    } else {
      response.end(JSON.stringify(answered));
    }
  });
  return { ...server, calls };
}

/** The service's way to such a Cognito, which is there until the test that calls this is over. */
export async function reachCognito(
  answer: (call: Call) => Answer | 'never',
  settings: Partial<CognitoConfig> = {},
): Promise<{ readonly config: CognitoConfig; readonly pools: readonly Pool[]; readonly calls: Call[] }> {
  const { url, calls, close } = await serveCognito(answer);
  onTestFinished(close);
  const config = configAt(url, settings);
  return { config, pools: connectPools(config), calls };
}
