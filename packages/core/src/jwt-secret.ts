/** Where Hasura looks for its claims if it is not told otherwise. */
export const CLAIMS_NAMESPACE = 'https://hasura.io/jwt/claims';

/** Hasura's JWT configuration, as `HASURA_GRAPHQL_JWT_SECRET` takes it. */
export interface JwtSecret {
  readonly jwk_url: string;
  readonly issuer: string;
  readonly audience?: string | readonly string[];
  readonly allowed_skew?: number;
  readonly claims_namespace?: string;
  readonly claims_format?: 'json' | 'stringified_json';
  readonly claims_map?: Readonly<
    Record<string, string | readonly string[] | { readonly path: string; readonly default?: string }>
  >;
}
