/** The Hasura that this engine answers like; clients such as the CLI choose their ways by it. */
export const HASURA_VERSION = 'v2.48.16';
