/** A Casdoor server on this machine: what programs and tests outside of its folder use of it. */

export { defaultAccountItems } from './blanks.ts';
export { RefusedError } from './directory.ts';
export { type LocalCasdoor, type LocalCasdoorOptions, standIn, startLocalCasdoor } from './local-casdoor.ts';
export { TOKEN_FORMATS } from './tokens.ts';
export type { CasdoorAccountItem, CasdoorRecord, CasdoorUser } from './types.ts';
export { createSender, newRecord } from './webhooks.ts';
