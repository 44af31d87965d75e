import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildTriggers, TRIGGERS, type Trigger } from '@latchkey/cognito-triggers/build';
import { PROJECT_ROOT } from '../environment.ts';
import { type AwsCli, AwsError } from './aws-cli.ts';
import type { DeploySettings } from './settings.ts';
import { zipOf } from './zip.ts';

const DEAD_QUEUE = 'latchkey-forward-event-dead';
const RULE = 'latchkey-cognito';
/** What Cognito and EventBridge give the functions, in seconds, and the role of each. */
const FUNCTIONS: Readonly<Record<Trigger, { role: Role; seconds: number }>> = {
  'pre-token-generation': { role: 'trigger', seconds: 5 },
  'forward-sign-in': { role: 'trigger', seconds: 5 },
  'forward-event': { role: 'event', seconds: 30 },
};
const ROLES = ['trigger', 'event'] as const;
type Role = (typeof ROLES)[number];
/** A role that has just been made is not known everywhere in AWS at once. */
const ROLE_WAIT_MS = 3_000;
const MOST_ROLE_WAITS = 20;

export interface DeployOptions {
  readonly tell: (line: string) => void;
  /** Between two attempts with a new role. */
  readonly roleWaitMs?: number;
}

/**
 * Creates or updates the functions, their roles, and the rule that passes on what CloudTrail records. All of it
 * may be there already; what is there is made as it should be.
 *
 * @returns the file of the policy that the identity service's role needs
 * @throws AwsError
 */
export async function deployTriggers(
  aws: AwsCli,
  { userPoolIds, region, variables, serviceRole }: DeploySettings,
  { tell, roleWaitMs = ROLE_WAIT_MS }: DeployOptions,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-deploy-'));
  try {
    const account = await aws.run('sts', 'get-caller-identity', '--query', 'Account', '--output', 'text');
    const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
    tell(`Account ${account}, region ${region}, user pools ${userPoolIds.join(', ')}`);

    const files = await buildTriggers();
    for (const role of ROLES) await putRole(role);
    await aws.run('sqs', 'create-queue', '--queue-name', DEAD_QUEUE);
    for (const trigger of TRIGGERS) await putFunction(trigger, files[trigger]);
    for (const trigger of ['pre-token-generation', 'forward-sign-in'] as const) {
      for (const pool of userPoolIds) {
        const source = arn('cognito-idp', `userpool/${pool}`);
        await allow(trigger, `cognito-${pool}`, 'cognito-idp.amazonaws.com', source);
      }
    }
    await putRule();
    return await putServicePolicy();

    /** The file of a policy, with the account and the pools filled in. */
    async function policyFile(name: string, target = join(folder, `${name}.json`)): Promise<string> {
      const source = await readFile(join(PROJECT_ROOT, 'deploy', 'cognito', `${name}.json`), 'utf8');
      const text = source
        .replaceAll('<region>', region)
        .replaceAll('<account-id>', account)
        .replace(/"Resource": ("[^"]*<user-pool-id>")/g, (_, one: string) => {
          const pools = userPoolIds.map((pool) => one.replace('<user-pool-id>', pool));
          return `"Resource": [${pools.join(', ')}]`;
        });
      await writeFile(target, text);
      return target;
    }

    async function putRole(role: Role): Promise<void> {
      const name = `latchkey-cognito-${role}`;
      const trust = join(PROJECT_ROOT, 'deploy', 'cognito', 'function-trust-policy.json');
      const create = ['iam', 'create-role', '--role-name', name];
      await aws.runUnless(
        ['EntityAlreadyExists'],
        ...[...create, '--assume-role-policy-document', `file://${trust}`],
      );
      // A policy for each region, for roles have none.
      const put = ['iam', 'put-role-policy', '--role-name', name, '--policy-name', `latchkey-${region}`];
      await aws.run(...put, '--policy-document', `file://${await policyFile(`${role}-policy`)}`);
      tell(`role ${name}`);
    }

    async function putFunction(trigger: Trigger, file: string): Promise<void> {
      const name = `latchkey-${trigger}`;
      const { role, seconds } = FUNCTIONS[trigger];
      const zip = join(folder, `${trigger}.zip`);
      await writeFile(zip, zipOf('index.mjs', await readFile(file)));
      // In a file, for on a command line everybody on this machine could read the secret.
      const environment = join(folder, `${trigger}.env.json`);
      await writeFile(environment, JSON.stringify({ Variables: variables[trigger] }), { mode: 0o600 });
      const settings = [
        ...['--function-name', name, '--handler', 'index.handler', '--runtime', 'nodejs24.x'],
        ...['--memory-size', '512', '--timeout', String(seconds), '--environment', `file://${environment}`],
        ...['--role', `arn:aws:iam::${account}:role/latchkey-cognito-${role}`],
      ];
      const code = ['--zip-file', `fileb://${zip}`, '--architectures', 'arm64'];
      const log = ['logs', 'create-log-group', '--log-group-name', `/aws/lambda/${name}`];
      await aws.runUnless(['ResourceAlreadyExistsException'], ...log);
      const find = [
        'lambda',
        'get-function',
        '--function-name',
        name,
        '--query',
        'Configuration.FunctionName',
      ];
      if ((await aws.runUnless(['ResourceNotFoundException'], ...find)) === undefined) {
        await withNewRole(() => aws.run('lambda', 'create-function', ...settings, ...code));
        tell(`function ${name} created`);
      } else {
        await aws.run('lambda', 'update-function-code', '--function-name', name, ...code);
        await aws.run('lambda', 'wait', 'function-updated-v2', '--function-name', name);
        await aws.run('lambda', 'update-function-configuration', ...settings);
        tell(`function ${name} updated`);
      }
      await aws.run('lambda', 'wait', 'function-active-v2', '--function-name', name);
      await aws.run('lambda', 'wait', 'function-updated-v2', '--function-name', name);
    }

    async function withNewRole(create: () => Promise<string>): Promise<void> {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await create();
          return;
        } catch (error) {
          const isTooNew = error instanceof AwsError && error.message.includes('cannot be assumed');
          if (!isTooNew || attempt === MOST_ROLE_WAITS) throw error;
          tell(`the new role is not known to Lambda yet: trying again in ${roleWaitMs / 1000} s`);
          await sleep(roleWaitMs);
        }
      }
    }

    async function allow(trigger: Trigger, statement: string, who: string, source: string): Promise<void> {
      const add = ['lambda', 'add-permission', '--function-name', `latchkey-${trigger}`];
      await aws.runUnless(
        ['ResourceConflictException'],
        ...[...add, '--statement-id', statement, '--action', 'lambda:InvokeFunction'],
        ...['--principal', who, '--source-arn', source],
      );
    }

    async function putRule(): Promise<void> {
      const pattern = join(PROJECT_ROOT, 'deploy', 'cognito', 'event-rule.json');
      await aws.run('events', 'put-rule', '--name', RULE, '--event-pattern', `file://${pattern}`);
      await allow('forward-event', 'events', 'events.amazonaws.com', arn('events', `rule/${RULE}`));
      const target = `Id=latchkey,Arn=${arn('lambda', 'function:latchkey-forward-event')}`;
      await aws.run('events', 'put-targets', '--rule', RULE, '--targets', target);
      await aws.run(
        ...['lambda', 'put-function-event-invoke-config', '--function-name', 'latchkey-forward-event'],
        ...['--maximum-retry-attempts', '2', '--maximum-event-age-in-seconds', '21600'],
        '--destination-config',
        JSON.stringify({ OnFailure: { Destination: arn('sqs', DEAD_QUEUE) } }),
      );
      tell(`rule ${RULE}, queue ${DEAD_QUEUE}`);
    }

    async function putServicePolicy(): Promise<string> {
      const target = join(PROJECT_ROOT, 'dist', 'cognito-triggers', 'service-policy.json');
      const file = await policyFile('service-policy', target);
      if (serviceRole === undefined) return file;
      const put = ['iam', 'put-role-policy', '--role-name', serviceRole];
      await aws.run(
        ...[...put, '--policy-name', `latchkey-cognito-${region}`, '--policy-document', `file://${file}`],
      );
      tell(`role ${serviceRole} of the service`);
      return file;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
