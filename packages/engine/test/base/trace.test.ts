import { expect, test } from 'vitest';
import { b3Headers, startTrace, traceJson, w3cHeaders } from '#base/trace.ts';

test('each request is a trace of its own', () => {
  expect(startTrace()).toEqual({
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  expect(startTrace().traceId).not.toBe(startTrace().traceId);
});

test('a webhook is told the trace, and the span that calls it', () => {
  const trace = startTrace();
  expect(Object.fromEntries(b3Headers(trace))).toEqual({
    'X-B3-TraceId': trace.traceId,
    'X-B3-SpanId': expect.not.stringMatching(trace.spanId),
    'X-B3-ParentSpanId': trace.spanId,
    'X-B3-Sampled': '1',
  });
  expect(w3cHeaders(trace)[0]?.[1]).toMatch(new RegExp(`^00-${trace.traceId}-[0-9a-f]{16}-01$`));
});

test('an event keeps its trace', () => {
  const { traceId, spanId } = startTrace();
  expect(JSON.parse(traceJson({ traceId, spanId }))).toEqual({
    trace_id: traceId,
    span_id: spanId,
    sampling_state: '1',
  });
});
