/** The version of Hasura that this engine answers like; clients such as the CLI depend on it. */
export const HASURA_VERSION = 'v2.48.16';
