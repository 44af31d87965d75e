import { setTimeout as sleep } from 'node:timers/promises';
import { CALL_FAULTS, type Fault, type FaultInput, WEBHOOK_FAULTS } from './fault-input.ts';
import { createReordering, type Reordering } from './reordering.ts';

/** What is to be done to one attempt to deliver a webhook. */
export interface WebhookPlan {
  /** It is never sent, and the provider thinks that it was. */
  lost: boolean;
  /** It does not arrive, and the provider gets no answer. */
  dropped: boolean;
  duplicated: boolean;
  /** Settles when it may go out; undefined where it need not wait. */
  held: Promise<void> | undefined;
  /** To be called once the attempt is over. */
  done(): void;
}

/** How a call of the provider's API is to fail. */
export type CallFault = { kind: '429' | '500'; retryAfterSeconds: number } | { kind: 'timeout'; ms: number };

/** The faults that a stand-in is told to show: rules that are asked at each webhook and each call. */
export interface Faults {
  add(input: FaultInput): Fault;
  /** In the order in which they were added, with how often each has been applied. */
  list(): Fault[];
  /** Ends all, and lets out what they hold back. */
  clear(): void;
  /** @param type of the event, in the provider's words */
  onWebhook(type: string): WebhookPlan;
  /** @param path of the call, such as `/v1/users` */
  onCall(path: string): CallFault | undefined;
}

interface Rule {
  readonly fault: Fault;
  readonly random: () => number;
  readonly reordering: Reordering | undefined;
}

export function createFaults(): Faults {
  const rules: Rule[] = [];
  let clearing = new AbortController();
  let added = 0;

  /** Whether a rule is to be applied to an event or a call, and uses it up by one. */
  function meets({ fault, random }: Rule, patterns: 'types' | 'paths', name: string): boolean {
    const kinds: readonly string[] = patterns === 'types' ? WEBHOOK_FAULTS : CALL_FAULTS;
    if (!kinds.includes(fault.fault)) return false;
    if (fault.times !== undefined && fault.applied >= fault.times) return false;
    if (!fault[patterns].some((pattern) => matches(pattern, name))) return false;
    // Asked of each that matches, so that one seed gives one sequence.
    if (random() >= fault.probability) return false;
    fault.applied += 1;
    return true;
  }

  return {
    add(input) {
      added += 1;
      const fault: Fault = { id: added, applied: 0, ...input };
      const reordering = input.fault === 'reorder' ? createReordering(input.ms) : undefined;
      rules.push({ fault, random: seeded(input.seed), reordering });
      return { ...fault };
    },
    list: () => rules.map(({ fault }) => ({ ...fault })),
    clear() {
      for (const { reordering } of rules.splice(0)) reordering?.release();
      clearing.abort();
      clearing = new AbortController();
    },
    onWebhook(type) {
      const met = rules.filter((rule) => meets(rule, 'types', type));
      const has = (kind: string): boolean => met.some(({ fault }) => fault.fault === kind);
      const waits: Promise<void>[] = [];
      const dones: (() => void)[] = [];
      for (const { fault, reordering } of met) {
        if (fault.fault === 'delay') {
          waits.push(sleep(fault.ms, undefined, { signal: clearing.signal }).catch(() => {}));
        }
        if (reordering === undefined) continue;
        const place = reordering.take();
        waits.push(place.turn);
        dones.push(place.done);
      }
      return {
        lost: has('lose'),
        dropped: has('drop'),
        duplicated: has('duplicate'),
        held: waits.length === 0 ? undefined : Promise.all(waits).then(() => {}),
        done: () => {
          for (const done of dones) done();
        },
      };
    },
    onCall(path) {
      const rule = rules.find((one) => meets(one, 'paths', path));
      if (rule === undefined) return undefined;
      const { fault, ms, retry_after: retryAfterSeconds } = rule.fault;
      if (fault === 'timeout') return { kind: fault, ms };
      return { kind: fault === '429' ? '429' : '500', retryAfterSeconds };
    },
  };
}

/** @param pattern a name in which `*` stands for anything */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
