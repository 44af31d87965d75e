/** A Cognito user pool on this machine: what programs and tests outside of its folder use of it. */

export { type LocalLambda, startLocalLambda } from './lambda.ts';
export { type LocalCognito, type LocalCognitoOptions, standIn, startLocalCognito } from './local-cognito.ts';
