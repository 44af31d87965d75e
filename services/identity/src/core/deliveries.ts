import type { Payload } from './raw-json.ts';
import type { IdentityRecord, Instant, ProviderName } from './records.ts';

/** An authenticated webhook request, its text as it was signed and not yet read. */
export interface Delivery {
  /** The provider's own id of the delivery: the same each time it is sent. */
  readonly id: string;
  readonly provider: ProviderName;
  readonly body: string;
  readonly receivedAt: Instant;
  /** When the sender made this attempt, where it says so; a replay does not know any more. */
  readonly sentAt?: Instant;
}

/** What a provider makes of a delivery. `payload` is what the ledger keeps of it. */
export type ParsedDelivery =
  | {
      readonly kind: 'records';
      readonly type: string;
      readonly subject: string | null;
      /** Of the subject; empty where it is not known. */
      readonly tenant: string;
      readonly payload: Payload;
      readonly records: readonly IdentityRecord[];
      /** More has changed than could be read while the sender waits: a reconcile has to bring the rest. */
      readonly isPartial?: boolean;
    }
  /** Nothing that is kept in step; its payload is not kept either, for it may hold a one-time password. */
  | {
      readonly kind: 'ignored';
      readonly type: string;
      readonly subject: string | null;
      /** Why, where that is not plain from the type. Nothing personal. */
      readonly reason?: string;
    }
  | {
      readonly kind: 'malformed';
      readonly type: string;
      readonly subject: string | null;
      readonly tenant?: string;
      readonly payload: Payload;
      readonly reason: string;
    };

export type DeliveryStatus = 'applied' | 'ignored' | 'dead';

/** One row of the ledger: as it is to be written, or as it was committed. */
export interface LedgerEntry {
  readonly id: string;
  readonly provider: ProviderName;
  readonly tenant: string;
  readonly type: string;
  readonly subject: string | null;
  readonly payload: Payload;
  /** About the size of the payload. */
  readonly bytes: number;
  readonly receivedAt: Instant;
  readonly status: DeliveryStatus;
  /** Why it is dead or ignored or, of an applied one, what of it was left out. */
  readonly error: string | null;
}

/** What became of a delivery, once that is committed. */
export interface DeliveryResult extends Pick<LedgerEntry, 'type' | 'status' | 'error'> {
  /** More has changed than could be read while the sender waits: a reconcile has to bring the rest. */
  readonly isPartial: boolean;
}
