import { randomUUID } from 'node:crypto';
import type { Json } from './records.ts';

/**
 * JSON that is written already and goes on as it is: of a payload that has been read and is to be kept
 * neither the objects that it made need be held, nor their JSON written anew.
 */
export interface JsonText {
  readonly text: string;
  /** To anything but {@link writeJson} it is the value that it says. */
  toJSON(): unknown;
}

/** Stands for such a text while all around it is written. Nobody outside knows it, and so nobody can bring it in. */
const MARK = randomUUID();
let found: string[] | undefined;

/** @param text JSON that has been parsed, and so is JSON */
export function jsonText(text: string): JsonText {
  return {
    text,
    toJSON(): unknown {
      if (found === undefined) return JSON.parse(text);
      found.push(text);
      return MARK;
    },
  };
}

/** `JSON.stringify`, with each {@link JsonText} as it stands. */
export function writeJson(value: unknown): string {
  const texts: string[] = [];
  found = texts;
  try {
    const [first = '', ...others] = JSON.stringify(value).split(`"${MARK}"`);
    return others.reduce((json, part, index) => json + texts[index] + part, first);
  } finally {
    found = undefined;
  }
}

/** What the ledger keeps of a delivery. */
export type Payload = Json | JsonText;
