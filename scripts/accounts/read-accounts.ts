import { LatchkeyError } from '@latchkey/core/errors';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

/** An account of an application from before. */
export interface Account {
  readonly legacyId: string;
  readonly email: string;
}

/** As the database compares addresses: only A to Z are folded. */
const folded = (email: string) => email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const ACCOUNT = z.object({
  // Ids that were numbers stay what they look like.
  legacy_id: z
    .union([z.string(), z.int().transform(String)], 'is missing, or neither a text nor a whole number')
    .pipe(z.string().trim().min(1, 'is empty').max(255, 'is longer than 255 characters')),
  email: z
    .string('is missing')
    .trim()
    .max(320, 'is longer than 320 characters')
    .regex(/^[^\s@]+@[^\s@]+$/, 'is no address'),
});

const MOST_COMPLAINTS = 10;

/**
 * Reads the accounts of a CSV or JSON file, which its name tells.
 *
 * @throws LatchkeyError `configuration-invalid`: the places that are wrong, without what stands there
 */
export function readAccounts(file: string, text: string): Account[] {
  const rows = file.toLowerCase().endsWith('.json') ? readJson(file, text) : readCsv(file, text);
  const complaints: string[] = [];
  const accounts: Account[] = [];
  const [places, addresses] = [new Map<string, string>(), new Map<string, string>()];
  for (const { place, row } of rows) {
    const account = ACCOUNT.safeParse(row);
    if (!account.success) {
      complaints.push(
        ...account.error.issues.map(({ path, message }) => `${place}: ${path.join('.') || 'it'} ${message}`),
      );
      continue;
    }
    const { legacy_id: legacyId, email } = account.data;
    const [sameId, sameAddress] = [places.get(legacyId), addresses.get(folded(email))];
    if (sameId !== undefined) complaints.push(`${place}: its legacy_id is that of ${sameId}`);
    else if (sameAddress !== undefined) {
      complaints.push(`${place}: its email is that of ${sameAddress}, and only one account can have it`);
    }
    places.set(legacyId, place);
    addresses.set(folded(email), place);
    accounts.push({ legacyId, email });
  }
  if (complaints.length > 0) throw invalid(file, complaints);
  return accounts;
}

type Rows = readonly { readonly place: string; readonly row: unknown }[];

function readJson(file: string, text: string): Rows {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, ['it is no JSON'], cause);
  }
  if (!Array.isArray(json)) throw invalid(file, ['it is no list of {"legacy_id", "email"}']);
  return json.map((row: unknown, index) => ({ place: `item ${index + 1}`, row }));
}

const CSV_ROW = z.object({ info: z.object({ lines: z.int() }), record: z.record(z.string(), z.string()) });

function readCsv(file: string, text: string): Rows {
  let rows: unknown[];
  try {
    rows = parse(text, { bom: true, columns: true, info: true, skip_empty_lines: true, trim: true });
  } catch (cause) {
    throw invalid(file, [cause instanceof Error ? cause.message : 'it is no CSV'], cause);
  }
  return rows.map((one) => {
    const { info, record } = CSV_ROW.parse(one);
    return { place: `line ${info.lines}`, row: record };
  });
}

function invalid(file: string, complaints: readonly string[], cause?: unknown): LatchkeyError {
  const further = complaints.length - MOST_COMPLAINTS;
  const told = complaints.slice(0, MOST_COMPLAINTS).join('; ');
  return new LatchkeyError(
    'configuration-invalid',
    `${file} is not imported: ${told}${further > 0 ? `; and ${further} more` : ''}. It needs the columns legacy_id and email.`,
    { cause },
  );
}
