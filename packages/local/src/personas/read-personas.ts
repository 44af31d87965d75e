import { readFile } from 'node:fs/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { PERSONAS, type Personas } from './personas.ts';

/**
 * Reads a file of personas.
 *
 * @throws LatchkeyError `configuration-invalid`, with the line and the field of each fault and how it should be
 */
export async function readPersonas(path: string): Promise<Personas> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const message = `${path} cannot be read (${cause.code}): give a file of personas, such as examples/personas/personas.yaml.`;
    throw new LatchkeyError('configuration-invalid', message, { cause });
  });
  return parsePersonas(text, path);
}

/**
 * The same of a text.
 *
 * @param path what the messages call it
 * @throws LatchkeyError `configuration-invalid`
 */
export function parsePersonas(text: string, path = 'personas.yaml'): Personas {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    throw invalid(document.errors.map(({ pos, message }) => `${path}:${lineAt(pos[0])}: ${message}`));
  }
  const parsed = PERSONAS.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(
    parsed.error.issues.map((issue) => {
      const { at, message } = describe(issue);
      return `${path}:${lineAt(offsetOf(document, at))}: ${at.join('.') || 'the file'} ${message}`;
    }),
  );
}

function invalid(faults: readonly string[]): LatchkeyError {
  return new LatchkeyError(
    'configuration-invalid',
    `${faults.join('\n')}\ndocs/local-stack.md has all fields.`,
  );
}

/** Which field an issue is about, and what is wrong with it. */
function describe(issue: z.core.$ZodIssue): { at: PropertyKey[]; message: string } {
  if (issue.code === 'unrecognized_keys') {
    return {
      at: [...issue.path, ...issue.keys.slice(0, 1)],
      message: 'is no field: remove it, or correct its name',
    };
  }
  if (issue.code === 'invalid_key') {
    return { at: issue.path, message: issue.issues[0]?.message ?? issue.message };
  }
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined;
  return { at: issue.path, message: isMissing ? `is missing: it ${issue.message}` : issue.message };
}

/** Where a field begins, or what it should be in. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
      if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0] ?? 0;
    }
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return 0;
}
