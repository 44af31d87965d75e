import { execFile } from 'node:child_process';
import { LatchkeyError } from '@latchkey/core/errors';
import type { Environment } from '../environment.ts';

/** A call of the AWS CLI that did not succeed. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  /** Of AWS's own error, such as `ResourceConflictException`; empty where it was none. */
  readonly code: string;

  constructor(command: string, stderr: string) {
    super(`aws ${command} failed: ${stderr.trim() || 'without saying why'}`);
    this.code = /\((\w+)\) when calling/.exec(stderr)?.[1] ?? '';
  }
}

export interface AwsCli {
  /**
   * Runs `aws <args>`.
   *
   * @returns what it prints
   * @throws AwsError
   */
  run(...args: readonly string[]): Promise<string>;
  /** The same; that AWS answers with one of these codes is as good. */
  runUnless(codes: readonly string[], ...args: readonly string[]): Promise<string | undefined>;
}

/** The AWS CLI of this machine, with its own credentials, in a region. */
export function awsCli(region: string, environment: Environment): AwsCli {
  const env = { ...environment, AWS_REGION: region, AWS_DEFAULT_REGION: region, AWS_PAGER: '' };

  function run(...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile('aws', [...args], { env }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trim());
        else if ('code' in error && error.code === 'ENOENT') reject(notInstalled(error));
        else reject(new AwsError(args.slice(0, 2).join(' '), stderr));
      });
    });
  }

  return {
    run,
    async runUnless(codes, ...args) {
      try {
        return await run(...args);
      } catch (error) {
        if (error instanceof AwsError && codes.includes(error.code)) return undefined;
        throw error;
      }
    },
  };
}

function notInstalled(cause: unknown): LatchkeyError {
  return new LatchkeyError(
    'configuration-invalid',
    'The AWS CLI is not there: install it, and sign in as somebody who may create roles and functions (aws sts get-caller-identity tells who you are).',
    { cause },
  );
}
