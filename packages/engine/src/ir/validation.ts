/** What a webhook is asked before a mutation writes anything. */
import type { HeaderSetting } from '#outgoing/env-template.ts';

export interface InputHook {
  readonly url: string;
  readonly headers: readonly HeaderSetting[];
  readonly timeoutSeconds: number;
  readonly forwardClientHeaders: boolean;
}

export interface InputValidation {
  readonly hook: InputHook;
  /** JSON text: a list. */
  readonly input: string;
}
