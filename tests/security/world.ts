import { randomBytes } from 'node:crypto';
import { jwtSecretOf } from '@latchkey/scripts/stack/trust';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { expect } from 'vitest';
import { z } from 'zod';
import { applyProject, startTestEngine } from '../support/engine.ts';
import { serve } from '../support/http.ts';
import type { TestEngine } from '../support/test-engine.ts';
import {
  type OneOfThree,
  type Person,
  startThreeProviders,
  THREE,
  type ThreeProviders,
} from '../support/three-providers.ts';
import { type Sent, send } from './send.ts';

/** Everything that is to be broken into, and the ways to try it. */
export type World = {
  stack: ThreeProviders;
  /** Trusts Clerk by JWT mode, on a database of its own. */
  jwtEngine: TestEngine;
  /** Each secret is one of two, as while one replaces another: these are the older ones. */
  older: Record<OneOfThree | 'action', string>;
  people: Record<OneOfThree, Person>;
  others: Record<OneOfThree, Person>;
  publicJwks: Record<OneOfThree, JWK>;
  attacker: {
    /** Where keys of the attacker's can be had. */
    url: string;
    /** How often somebody asked for them, which nobody must. */
    asked(): number;
  };
  /** The addresses of both engines. */
  engines(): string[];
  askHook(headers: Record<string, string>): Sent;
  /** Sends what must not get in, and notes where it does, or breaks something. */
  expectRefused(
    what: string,
    sent: Sent,
    isRefusal: (status: number, body: string) => boolean,
  ): Promise<void>;
  /** Runs an attack; nothing of it may have got in, or be stored. */
  unharmed(attack: () => Promise<unknown>): Promise<void>;
  /** Counts a hostile request that the caller sends and judges by itself. */
  count(): void;
  /** How many hostile requests there have been. */
  counted(): number;
  close(): Promise<void>;
};

const QUERY = JSON.stringify({ query: '{ users { id email } }' });
const EVERYTHING = `{
  users(order_by: {id: asc}) { id provider email roles deleted_at created_at updated_at last_seen }
  organizations(order_by: {id: asc}) { id updated_at }
  organization_memberships(order_by: {user_id: asc}) { user_id organization_id role updated_at }
  identity_deliveries(order_by: {id: asc}) { id status }
}`;
/** What a refusal may be called. `unexpected`, for one, would be a failure. */
const REFUSALS = [
  'access-denied',
  'invalid-jwt',
  'invalid-headers',
  'jwt-invalid-claims',
  'jwt-missing-role-claims',
];

export const JSON_TYPE = ['content-type', 'application/json'] as const;
export const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;
export const engineAnswer = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })).optional(),
});

/** A query of one's own row. */
export const askEngine = (url: string, headers: Sent['headers']): Sent => ({
  url: `${url}/v1/graphql`,
  headers: [JSON_TYPE, ...headers],
  body: QUERY,
});

export function refusedByEngine(status: number, body: string): boolean {
  // Too large a header, which no handler sees.
  if (status === 431) return true;
  const { data, errors = [] } = engineAnswer.parse(JSON.parse(body));
  return (
    data == null && errors.length > 0 && errors.every(({ extensions }) => REFUSALS.includes(extensions.code))
  );
}

export const refusedBy =
  (...statuses: number[]) =>
  (status: number): boolean =>
    statuses.includes(status);

/** Starts engines, service and providers, with two people at each provider. */
export async function startWorld(): Promise<World> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const older = {
    clerk: `whsec_${randomBytes(24).toString('base64')}`,
    casdoor: randomBytes(32).toString('hex'),
    cognito: `whsec_${randomBytes(32).toString('base64')}`,
    action: randomBytes(32).toString('hex'),
  };
  try {
    let askedOfAttacker = 0;
    const attackersJwk = await exportJWK((await generateKeyPair('RS256')).publicKey);
    const attacker = await serve((_request, response) => {
      askedOfAttacker += 1;
      response.end(JSON.stringify({ keys: [attackersJwk] }));
    });
    closers.push(() => attacker.close());
    const stack = await startThreeProviders((own) => ({
      CLERK_WEBHOOK_SECRET: `${older.clerk},${own.CLERK_WEBHOOK_SECRET}`,
      CASDOOR_WEBHOOK_SECRET: `${older.casdoor},${own.CASDOOR_WEBHOOK_SECRET}`,
      COGNITO_WEBHOOK_SECRET: `${older.cognito},${own.COGNITO_WEBHOOK_SECRET}`,
      LATCHKEY_ACTION_SECRET: `${older.action},${own.LATCHKEY_ACTION_SECRET}`,
      LATCHKEY_ALLOWED_ROLES: 'editor',
    }));
    closers.push(() => stack.close());
    const { adminSecret } = stack;
    const jwtEngine = await startTestEngine({ adminSecret, jwtSecret: jwtSecretOf(stack.clerk) });
    closers.push(() => jwtEngine.close());
    await applyProject(jwtEngine.url, adminSecret);

    const askHook = (headers: Record<string, string>): Sent => ({
      url: `${stack.service.url}/auth/hook`,
      headers: [JSON_TYPE],
      body: JSON.stringify({ headers }),
    });
    let hostile = 0;
    let failures: string[] = [];
    return {
      stack,
      jwtEngine,
      older,
      people: await signUpAtEach(stack, { clerk: 'ada', casdoor: 'grace', cognito: 'linus' }),
      others: await signUpAtEach(stack, { clerk: 'ben', casdoor: 'cam', cognito: 'dee' }),
      publicJwks: await publicJwksOf(stack.service.url),
      attacker: { url: attacker.url, asked: () => askedOfAttacker },
      engines: () => [stack.engine.url, jwtEngine.url],
      askHook,
      async expectRefused(what, sent, isRefusal) {
        hostile += 1;
        const { status, body } = await send(sent);
        if (status >= 500 || !isRefusal(status, body))
          failures.push(`${what}: ${status} ${body.slice(0, 200)}`);
      },
      async unharmed(attack) {
        const before = await stack.asAdmin(EVERYTHING);
        failures = [];
        await attack();
        expect(failures).toEqual([]);
        expect(await stack.asAdmin(EVERYTHING)).toEqual(before);
        expect((await fetch(`${stack.service.url}/readyz`)).status).toBe(200);
      },
      count() {
        hostile += 1;
      },
      counted: () => hostile,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function signUpAtEach(
  stack: ThreeProviders,
  names: Record<OneOfThree, string>,
): Promise<Record<OneOfThree, Person>> {
  const signUp = (name: OneOfThree) => stack.signUp(name, `${names[name]}@example.com`);
  return { clerk: await signUp('clerk'), casdoor: await signUp('casdoor'), cognito: await signUp('cognito') };
}

async function publicJwksOf(serviceUrl: string): Promise<Record<OneOfThree, JWK>> {
  const keyOf = async (name: OneOfThree) => {
    const answer = await fetch(`${serviceUrl}/jwks/${name}`);
    const { keys } = z.object({ keys: z.array(z.record(z.string(), z.string())) }).parse(await answer.json());
    return keys[0] ?? {};
  };
  const [clerk = {}, casdoor = {}, cognito = {}] = await Promise.all(THREE.map(keyOf));
  return { clerk, casdoor, cognito };
}
