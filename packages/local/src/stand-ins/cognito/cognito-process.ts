import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Trigger } from '@latchkey/cognito-triggers/build';
import { LOOPBACK } from '#processes/ports.ts';
import { type Child, COMPILE_CACHE, startChild } from '#processes/processes.ts';
import { untilAnswers } from '#processes/wait.ts';

/** The code with which every sign-up is confirmed here. */
export const CONFIRMATION_CODE = '123456';

export interface CognitoProcessOptions {
  /** Where it keeps what it holds. */
  directory: string;
  port: number;
  /** What its tokens name as their issuer. */
  issuer: string;
  /** Where it invokes the pool's functions. */
  lambdaUrl: string;
  onLine?: ((line: string) => void) | undefined;
}

/** Starts npm's cognito-local with the project's functions attached to its pools, and waits until it answers. */
export async function startCognitoProcess(options: CognitoProcessOptions): Promise<Child> {
  const { directory, port, issuer, lambdaUrl, onLine } = options;
  const config = {
    TokenConfig: { IssuerDomain: issuer },
    LambdaClient: {
      endpoint: lambdaUrl,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    },
    TriggerFunctions: {
      PostConfirmation: 'forward-sign-in',
      PostAuthentication: 'forward-sign-in',
      PreTokenGeneration: 'pre-token-generation',
    } satisfies Record<string, Trigger>,
    UserPoolDefaults: { UsernameAttributes: ['email'] },
  };
  await writeFile(join(directory, '.cognito', 'config.json'), JSON.stringify(config, null, 2), {
    mode: 0o600,
  });
  const child = await startChild({
    name: 'cognito-local',
    command: process.execPath,
    args: [fileURLToPath(new URL('cognito-local.ts', import.meta.url)), String(port)],
    cwd: directory,
    env: {
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      CODE: CONFIRMATION_CODE,
      AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
    },
    ...(onLine !== undefined && { onLine }),
  });
  await untilAnswers(`http://${LOOPBACK}:${port}/health`, child).catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
  return child;
}
