/** Of GraphQL's library its language alone: schemas, validation and execution would lie in memory unused. */
export * from 'graphql/language/index.js';
export { valueFromASTUntyped } from 'graphql/utilities/valueFromASTUntyped.js';
