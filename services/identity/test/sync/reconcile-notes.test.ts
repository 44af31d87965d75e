import { LatchkeyError } from '@latchkey/core/errors';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HasuraClient } from '#hasura/client.ts';
import {
  BeginRunDocument,
  KeysOfRunDocument,
  NoteRunDocument,
  TakeRunDocument,
  UnfinishedRunDocument,
} from '#hasura/generated/documents.ts';
import { withRun } from '#sync/reconcile-run.ts';

type Variables = Readonly<Record<string, unknown>>;
interface Note {
  set: Record<string, unknown>;
  keys: string[];
}

/** The runs' table as far as one run sees it: what is noted, and how it fails. */
function fakeRuns({ unfinished, kept = [] }: { unfinished?: Variables; kept?: Buffer[] } = {}) {
  const notes: Note[] = [];
  const failures: Error[] = [];
  const answer = (document: unknown, variables: Variables): unknown => {
    switch (document) {
      case BeginRunDocument:
        if (unfinished !== undefined) throw new LatchkeyError('record-refused', 'There is one.');
        return { insert_identity_reconciles_one: { id: 'run' } };
      case UnfinishedRunDocument:
        return { identity_reconciles: [unfinished] };
      case TakeRunDocument:
        return { update_identity_reconciles: { affected_rows: 1 } };
      case KeysOfRunDocument: {
        const from = kept.findIndex((_, index) => idOf(index) > String(variables.after));
        const rows = from === -1 ? [] : kept.slice(from, from + Number(variables.limit));
        return {
          identity_reconcile_keys: rows.map((keys, index) => ({
            id: idOf(from + index),
            keys: keys.toString('base64'),
          })),
        };
      }
      case NoteRunDocument: {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        const keys = (variables.keys as { keys: string }[]).map((row) => text(row.keys));
        notes.push({ set: variables.set as Note['set'], keys });
        return { update_identity_reconciles: { affected_rows: 1 } };
      }
      default:
        throw new Error('nothing else is asked');
    }
  };
  const engine = { request: async (document: unknown, variables: Variables) => answer(document, variables) };
  return { notes, failures, engine: engine as Pick<HasuraClient, 'request'> };
}

const idOf = (index: number): string => `1${String(index).padStart(7, '0')}-0000-0000-0000-000000000000`;
const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
const REPAIR = { provider: 'clerk', task: 'repair' } as const;
const away = () => new LatchkeyError('engine-unreachable', 'It is away.');
/** Longer than it takes until the next note. */
const NEXT_NOTE_MS = 2_500;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('keys whose note failed go with the next one, in their order, once each', async () => {
  const { notes, failures, engine } = fakeRuns();
  await withRun(engine, REPAIR, async ({ saveKeys, saveProgress }) => {
    saveKeys(Buffer.from('one '));
    failures.push(away(), away());
    await vi.advanceTimersByTimeAsync(NEXT_NOTE_MS);
    saveKeys(Buffer.from('two '));
    saveProgress({ cursor: 'there', counts: {} });
    await vi.advanceTimersByTimeAsync(NEXT_NOTE_MS);
    saveKeys(Buffer.from('three '));
    await vi.advanceTimersByTimeAsync(NEXT_NOTE_MS);
    saveKeys(Buffer.from('four '));
    await vi.advanceTimersByTimeAsync(NEXT_NOTE_MS);
  });
  expect(notes.flatMap(({ keys }) => keys)).toEqual(['one two three ', 'four ']);
  // What counts on keys is never written down before them.
  expect(notes.findIndex(({ set }) => set.cursor === 'there')).toBe(0);
});

test('a run that failed keeps what its last notes could not', async () => {
  const { notes, failures, engine } = fakeRuns();
  const run = withRun(engine, REPAIR, async ({ saveKeys, saveProgress }) => {
    saveKeys(Buffer.from('one'));
    saveProgress({ cursor: 'there', counts: {} });
    failures.push(away());
    await vi.advanceTimersByTimeAsync(NEXT_NOTE_MS);
    throw new LatchkeyError('provider-unreachable', 'No answer.');
  });
  await expect(run).rejects.toMatchObject({ code: 'provider-unreachable' });
  expect(notes).toEqual([
    { set: expect.objectContaining({ cursor: 'there', error: 'No answer.' }), keys: ['one'] },
  ]);
});

test.each([0, 1, 19, 20, 21, 40, 55])('all of %i earlier rows of keys are read', async (count) => {
  const kept = Array.from({ length: count }, (_, index) => Buffer.from(`note ${index}`));
  const started = new Date(Date.now() - 60_000).toISOString();
  const unfinished = {
    id: 'run',
    task: 'repair',
    started_at: started,
    heard_at: new Date(0).toISOString(),
    cursor: 'there',
    counts: {},
    drift: {},
  };
  const { engine } = fakeRuns({ unfinished, kept });
  const read: string[] = [];
  await withRun(engine, REPAIR, async ({ resumed, startedAt }) => {
    expect(new Date(startedAt).toISOString()).toBe(started);
    for await (const keys of resumed?.savedKeys() ?? []) read.push(keys.toString());
  });
  expect(read).toEqual(kept.map(String));
});
