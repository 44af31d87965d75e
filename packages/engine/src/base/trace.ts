/**
 * Distributed tracing as far as others see it: Hasura tells webhooks that decide about a request, and payloads
 * of event triggers, which trace it is part of. Nothing is measured or exported.
 */
import { randomUUID } from 'node:crypto';

export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
}

type Headers = readonly (readonly [name: string, value: string])[];

/** Of a UUID, for which Node keeps random bytes in stock: asking for some with every request costs 4 % of it. */
const hex = (bytes: number) =>
  randomUUID()
    .replaceAll('-', '')
    .slice(-2 * bytes);

/** Without OpenTelemetry Hasura goes on with nobody's trace. */
export function startTrace(): Trace {
  return { traceId: hex(16), spanId: hex(8) };
}

/** For a request that is one more span of the trace. */
export function b3Headers({ traceId, spanId }: Trace): Headers {
  return [
    ['X-B3-TraceId', traceId],
    ['X-B3-SpanId', hex(8)],
    ['X-B3-ParentSpanId', spanId],
    ['X-B3-Sampled', '1'],
  ];
}

/** As the W3C writes them. */
export function w3cHeaders({ traceId }: Trace): Headers {
  return [
    ['traceparent', `00-${traceId}-${hex(8)}-01`],
    ['tracestate', ''],
  ];
}

/** How an event's payload keeps it: `trace_context`. */
export function traceJson({ traceId, spanId }: Trace): string {
  return JSON.stringify({ trace_id: traceId, span_id: spanId, sampling_state: '1' });
}
