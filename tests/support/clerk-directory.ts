import { createClerk } from '@latchkey/identity/providers/clerk';
import type { CompleteProvider } from '@latchkey/identity/providers/provider';
import { deliver } from '@latchkey/identity/sync/deliver';
import type { Writer } from '@latchkey/identity/sync/writer';
import { type LocalClerk, type Message, startLocalClerk } from '@latchkey/local/stand-ins/clerk';
import { fixture } from './clerk.ts';
import { type LocalServer, serve } from './http.ts';

/** A call of the Backend API. */
export type Call = { path: string; query: URLSearchParams };

/** What to do to a call: nothing, answer it ourselves, or change what is answered. */
export type Interception =
  | undefined
  | { status: number; headers?: Record<string, string>; body?: string }
  | { keep: (row: Record<string, unknown>) => boolean }
  | { change: (answer: unknown) => unknown };

/** Clerk’s own refusal of every call about organizations where they are switched off. */
export function withoutOrganizations({ path }: Call): Interception {
  return /organization/.test(path) ? { status: 403, body: fixture('bapi.error.403.json') } : undefined;
}

export type ClerkDirectory = {
  clerk: LocalClerk;
  provider: CompleteProvider;
  /** With these a service or a command reads this directory. */
  environment: Readonly<Record<string, string>>;
  /** All calls since the last reset. */
  calls: Call[];
  /** Called before each call is passed on to Clerk. */
  intercept: (call: Call) => Interception | Promise<Interception>;
  /** Lets something happen at Clerk, whose webhooks are held back. */
  change<T>(body: () => T): { result: T; messages: Message[] };
  /** Hands one message to the service's own code, as if it had come in over HTTP. */
  deliver(writer: Writer, message: Message): Promise<void>;
  /** Removes everybody, calls and interceptions. */
  reset(): void;
  close(): Promise<void>;
};

/** A local Clerk, and the provider that reads it through a door at which tests can stand. */
export async function startClerkDirectory(): Promise<ClerkDirectory> {
  const clerk = await startLocalClerk({ port: 0 });
  const door: LocalServer = await serve(async (request, response) => {
    const url = new URL(request.url ?? '/', clerk.url);
    const call = { path: url.pathname, query: url.searchParams };
    directory.calls.push(call);
    const interception = await directory.intercept(call);
    if (interception !== undefined && 'status' in interception) {
      response.writeHead(interception.status, {
        'content-type': 'application/json',
        ...interception.headers,
      });
      return response.end(interception.body ?? '{"errors":[]}');
    }
    const answer = await fetch(url, { headers: { authorization: request.headers.authorization ?? '' } });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    if (interception === undefined) return response.end(Buffer.from(await answer.arrayBuffer()));
    const body: unknown = await answer.json();
    if ('change' in interception) return response.end(JSON.stringify(interception.change(body)));
    return response.end(JSON.stringify(Array.isArray(body) ? body.filter(interception.keep) : body));
  });
  const environment: Record<string, string> = { ...clerk.serviceEnvironment, CLERK_API_URL: door.url };
  const provider = createClerk({
    webhookSecrets: [environment.CLERK_WEBHOOK_SECRET ?? ''],
    publishableKey: undefined,
    frontendApiUrl: clerk.url,
    secretKey: environment.CLERK_SECRET_KEY,
    apiUrl: door.url,
    authorizedParties: [],
    instanceId: '',
  });
  const directory: ClerkDirectory = {
    clerk,
    provider,
    environment,
    calls: [],
    intercept: () => undefined,
    change: (body) => clerk.intercept(body),
    async deliver(writer, { id, body }) {
      await deliver(provider.webhooks, writer, { id, provider: 'clerk', body, receivedAt: Date.now() });
    },
    reset() {
      directory.calls.length = 0;
      directory.intercept = () => undefined;
      clerk.intercept(() => {
        const { users, organizations } = clerk.directory.state();
        for (const { id } of users) clerk.directory.deleteUser(id);
        for (const { id } of organizations) clerk.directory.deleteOrganization(id);
      });
    },
    async close() {
      await door.close();
      await clerk.close();
    },
  };
  return directory;
}
