/** Only the language of GraphQL's library: its schemas, validation and execution would take memory unused. */
export * from 'graphql/language/index.js';
export { valueFromASTUntyped } from 'graphql/utilities/valueFromASTUntyped.js';
