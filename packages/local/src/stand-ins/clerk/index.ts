/** A Clerk application on this machine: what programs and tests outside of its folder use of it. */

export type { DirectoryState, LocalDirectory } from './directory.ts';
export { type LocalClerk, type LocalClerkOptions, standIn, startLocalClerk } from './local-clerk.ts';
export { templatePayload } from './tokens.ts';
export type { ClerkOrganization, ClerkUser } from './types.ts';
export { type Attempt, createSender, type Message, newMessage, type WebhookSender } from './webhooks.ts';
