/** `HASURA_GRAPHQL_JWT_SECRET`, checked as Hasura checks it. */
import { createPublicKey, createSecretKey, type KeyObject, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from '#base/config.ts';
import { parseFirstKeyJson } from '#values/exact-json.ts';
import { type JsonPath, parseJsonPath } from './json-path.ts';
import { isStringOrUri } from './uri.ts';

export const DEFAULT_NAMESPACE = 'https://hasura.io/jwt/claims';
const VARIABLE = 'HASURA_GRAPHQL_JWT_SECRET';
const KEY_TYPES = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
] as const;

const path = z.string().transform((text, context): { text: string; path: JsonPath } => {
  const parsed = parseJsonPath(text);
  if (parsed !== undefined) return { text, path: parsed };
  context.addIssue({
    code: 'custom',
    message: `invalid JSON path ${text}. Accept letters, digits, underscore (_) or hyphen (-) only. Use quotes enclosed in bracket (["..."]) if there is any special character`,
  });
  return z.NEVER;
});

/** A claim taken from the token at a path, with a default where the path does not resolve; or a fixed value. */
const mapped = <Value extends z.ZodType>(value: Value) =>
  z.union([z.object({ path, default: value.nullish() }), value.transform((fixed) => ({ fixed }))]);

const role = z.string().min(1);
const ROLE_CLAIMS = ['x-hasura-allowed-roles', 'x-hasura-default-role'];
/** The claims of the roles count in lower case alone; of the others the spelling that sorts last. */
const claimsMap = z
  .record(z.string(), z.unknown())
  .transform((claims) =>
    Object.fromEntries(
      Object.entries(claims)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => [name.toLowerCase(), value, name] as const)
        .filter(([key, , name]) => key === name || !ROLE_CLAIMS.includes(key)),
    ),
  )
  .pipe(
    z
      .object({
        'x-hasura-allowed-roles': mapped(z.array(role)),
        'x-hasura-default-role': mapped(role),
      })
      .catchall(mapped(z.string())),
  );

const header = z
  .object({ type: z.string(), name: z.string().min(1).optional() })
  .transform(({ type, name }, context) => {
    const kind = type.toLowerCase();
    if (kind === 'authorization') return { type: 'Authorization' as const };
    if (kind !== 'cookie' && kind !== 'customheader') {
      context.addIssue({
        code: 'custom',
        message: "expected 'type' is 'Authorization' or 'Cookie' or 'CustomHeader'",
      });
      return z.NEVER;
    }
    if (name === undefined) {
      context.addIssue({ code: 'custom', message: `a header of type ${type} needs a "name"` });
      return z.NEVER;
    }
    return kind === 'cookie'
      ? { type: 'Cookie' as const, name }
      : { type: 'CustomHeader' as const, name: name.toLowerCase() };
  });

const URI_NEEDED = 'with a colon in it, it must be a URI';

const jwtSecret = z.object({
  type: z
    .enum(KEY_TYPES, { error: (issue) => `Key type: ${String(issue.input)} is not supported` })
    .nullish(),
  key: z.string().nullish(),
  jwk_url: z.url({ protocol: /^https?$/ }).nullish(),
  claims_namespace: z.string().nullish(),
  claims_namespace_path: path.nullish(),
  claims_format: z.enum(['json', 'stringified_json']).nullish(),
  claims_map: claimsMap.nullish(),
  audience: z
    .union([z.string().transform((one) => [one]), z.array(z.string())])
    .refine((all) => all.every(isStringOrUri), URI_NEEDED)
    .nullish(),
  issuer: z.string().refine(isStringOrUri, URI_NEEDED).nullish(),
  allowed_skew: z.number().nullish(),
  header: header.nullish(),
});

export type ClaimsMap = z.output<typeof claimsMap>;
export type MappedClaim =
  | { readonly path: z.output<typeof path>; readonly default?: unknown }
  | { readonly fixed: unknown };
export type JwtHeader = z.output<typeof header>;

export type Claims =
  | { readonly from: 'map'; readonly map: ClaimsMap; readonly raw: unknown }
  | {
      readonly from: 'namespace';
      /** The key of the token that holds the claims, or a path to them. */
      readonly namespace: string | { readonly text: string; readonly path: JsonPath };
      readonly stringified: boolean;
    };

export interface JwtConfig {
  readonly key: KeyObject | undefined;
  readonly jwkUrl: string | undefined;
  readonly claims: Claims;
  readonly audience: readonly string[] | undefined;
  readonly issuer: string | undefined;
  readonly skewSeconds: number;
  readonly header: JwtHeader;
}

/** @throws {ConfigError} where Hasura would refuse to start */
export function parseJwtSecret(text: string): JwtConfig {
  let json: unknown;
  try {
    json = parseFirstKeyJson(text);
  } catch {
    throw new ConfigError(`${VARIABLE}: not valid JSON; quote it so that the shell leaves it alone`);
  }
  const parsed = jwtSecret.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigError(
      `${VARIABLE}: ${[...(issue?.path ?? []), ''].join('.')} ${issue?.message ?? 'invalid'}`,
    );
  }
  const set = parsed.data;
  if (set.key == null && set.jwk_url == null)
    throw new ConfigError(`${VARIABLE}: key and jwk_url both cannot be empty; give one`);
  if (set.key != null && set.jwk_url != null)
    throw new ConfigError(`${VARIABLE}: key, jwk_url both cannot be present; give one`);
  if (set.claims_namespace != null && set.claims_namespace_path != null) {
    throw new ConfigError(
      `${VARIABLE}: claims_namespace and claims_namespace_path both cannot be set; give one`,
    );
  }
  if (set.key != null && set.type == null)
    throw new ConfigError(`${VARIABLE}: "type" is missing beside "key"`);
  return {
    key: set.key == null || set.type == null ? undefined : readKey(set.type, set.key),
    jwkUrl: set.jwk_url ?? undefined,
    claims:
      set.claims_map != null
        ? {
            from: 'map',
            map: set.claims_map,
            raw: z.object({ claims_map: z.unknown() }).parse(json).claims_map,
          }
        : {
            from: 'namespace',
            namespace: set.claims_namespace_path ?? set.claims_namespace ?? DEFAULT_NAMESPACE,
            stringified: set.claims_format === 'stringified_json',
          },
    audience: set.audience ?? undefined,
    issuer: set.issuer ?? undefined,
    skewSeconds: set.allowed_skew ?? 0,
    header: set.header ?? { type: 'Authorization' },
  };
}

function readKey(type: (typeof KEY_TYPES)[number], text: string): KeyObject {
  if (type.startsWith('HS')) {
    const bytes = Buffer.from(text, 'utf8');
    const least = Number(type.slice(2)) / 8;
    if (bytes.length < least) {
      throw new ConfigError(
        `${VARIABLE}: Invalid JWK: Key size too small; should be atleast ${least} characters`,
      );
    }
    return createSecretKey(bytes);
  }
  const key = readPem(text);
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) < 2048) {
    throw new ConfigError(`${VARIABLE}: RSA keys under 2048 bits are refused; use a longer key`);
  }
  return key;
}

function readPem(text: string): KeyObject {
  try {
    return text.includes('BEGIN CERTIFICATE') ? new X509Certificate(text).publicKey : createPublicKey(text);
  } catch {
    throw new ConfigError(
      `${VARIABLE}: Invalid JWK: Could not decode PEM; give a public key or an X509 certificate in PEM form`,
    );
  }
}
