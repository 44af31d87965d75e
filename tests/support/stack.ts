import { randomBytes } from 'node:crypto';
import {
  type Answer,
  type Caller,
  createGraphqlClient,
  type GraphqlClient,
} from '@latchkey/local/graphql-client';
import { freePort, LOOPBACK } from '@latchkey/local/processes/ports';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import { type LocalClerk, type Message, startLocalClerk } from '@latchkey/local/stand-ins/clerk';
import { jwtSecretOf } from '@latchkey/scripts/stack/trust';
import { applyProject, startTestEngine } from './engine.ts';
import type { TestEngine } from './test-engine.ts';

export type TestStack = {
  clerk: LocalClerk;
  engine: TestEngine;
  hasura: GraphqlClient;
  /** Asks as admin; fails the test if there is an error. */
  asAdmin(query: string, variables?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Asks with a token; fails the test if there is an error. */
  asUser(token: string, query: string): Promise<Record<string, unknown>>;
  adminSecret: string;
  /** With which the engine calls the service. */
  actionSecret: string;
  service: {
    url: string;
    /** Ends it orderly. */
    stop(): Promise<void>;
    /** Ends it as a crash would. */
    kill(): Promise<void>;
    start(): Promise<void>;
  };
  /**
   * Lets something happen at Clerk and holds its webhooks back, so that the test can deliver them as
   * it likes.
   */
  change<T>(body: () => T): { result: T; message: Message };
  /** Delivers one message once, expecting it to be accepted. */
  deliver(message: Message): Promise<void>;
  close(): Promise<void>;
};

/**
 * A local Clerk, the engine under test with this project's schema, and the service between them.
 *
 * @param options.linked whether the engine can call the service too: for actions, and then cron triggers
 * come at their time as well
 */
export async function startTestStack({ linked = false } = {}): Promise<TestStack> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const adminSecret = randomBytes(24).toString('base64url');
    // The waits grow long enough for an engine that takes its time to come back.
    const clerk = await startLocalClerk({
      port: 0,
      scheduleMs: [100, 200, 400, 800, 1600, 3200, 6400, 12_800],
    });
    closers.push(() => clerk.close());
    const port = await freePort();
    const link = { url: `http://${LOOPBACK}:${port}`, actionSecret: randomBytes(24).toString('base64url') };
    const engine = await startTestEngine({
      adminSecret,
      jwtSecret: jwtSecretOf(clerk),
      ...(linked && { service: link }),
    });
    closers.push(() => engine.close());
    await applyProject(engine.url, adminSecret);

    const startOne = async (): Promise<ServiceProcess> => {
      const service = await startService({
        port,
        engineUrl: engine.url,
        adminSecret,
        env: {
          ...clerk.serviceEnvironment,
          LATCHKEY_SERVICE_URL: link.url,
          // In the middle of being replaced.
          LATCHKEY_ACTION_SECRET: `the-secret-that-comes-next,${link.actionSecret}`,
        },
      });
      await untilAnswers(`${service.url}/readyz`, service.child);
      return service;
    };
    let service = await startOne();
    closers.push(() => service.close());
    clerk.deliverTo(`${service.url}/webhooks/clerk`);

    const hasura = createGraphqlClient(engine.url);
    const ask = async (query: string, caller: Caller, variables = {}): Promise<Record<string, unknown>> =>
      dataOf(await hasura.query(query, caller, variables));
    return {
      clerk,
      engine,
      hasura,
      adminSecret,
      actionSecret: link.actionSecret,
      asAdmin: (query, variables) => ask(query, { adminSecret }, variables),
      asUser: (token, query) => ask(query, { token }),
      service: {
        url: service.url,
        stop: () => service.close(),
        async kill() {
          process.kill(-service.child.pid, 'SIGKILL');
          await service.child.exited;
        },
        async start() {
          service = await startOne();
        },
      },
      change(body) {
        const { result, messages } = clerk.intercept(body);
        const [message] = messages;
        if (message === undefined) throw new Error('The change caused no event.');
        return { result, message };
      },
      async deliver(message) {
        const response = await clerk.webhooks.post(message);
        if (!response.ok)
          throw new Error(`The service answered ${response.status}: ${await response.text()}`);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function dataOf(answer: Answer): Record<string, unknown> {
  if (answer.data === null) throw new Error(`Hasura answered ${answer.codes.join(', ')}: ${answer.message}`);
  return answer.data;
}
