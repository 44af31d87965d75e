import { SECRET } from '@latchkey/tests/support/clerk';
import type { ClerkConfig } from '#providers/clerk/settings.ts';

/** Of an application that is only heard: nothing can be asked of its Backend API. */
export const CONFIG: ClerkConfig = {
  webhookSecrets: [SECRET],
  publishableKey: undefined,
  frontendApiUrl: undefined,
  secretKey: undefined,
  apiUrl: 'http://127.0.0.1:1',
  authorizedParties: [],
  instanceId: '',
};
