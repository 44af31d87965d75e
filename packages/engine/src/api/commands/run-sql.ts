/** `run_sql`: any SQL as the owner of the connection, and the metadata kept in step with what it changed. */
import pg from 'pg';
import { z } from 'zod';
import { type CommandContext, type Commands, command } from '#api/command.ts';
import { findSource } from '#api/editing/find.ts';
import { followCatalog } from '#api/editing/follow-catalog.ts';
import { EngineError } from '#base/errors.ts';
import { setSessionQuery } from '#execute/run/transaction.ts';
import { nonEmptyText, object } from '#metadata/primitives.ts';
import { readCatalog } from '#postgres/read-catalog.ts';
import { splitStatements } from '#postgres/split-statements.ts';

const args = object({
  sql: z.string(),
  source: nonEmptyText.default('default'),
  cascade: z.boolean().default(false),
  check_metadata_consistency: z.boolean().optional(),
  read_only: z.boolean().default(false),
  no_transaction: z.boolean().default(false),
});

/** Hasura's own guess at which statements may change what is tracked. */
const CHANGES_SCHEMA = /\balter\b|\bdrop\b|\breplace\b|\bcreate function\b|\bcomment on\b/i;

function changesSchema({
  sql,
  read_only: readOnly,
  check_metadata_consistency: check,
}: z.output<typeof args>): boolean {
  return !readOnly && (check ?? CHANGES_SCHEMA.test(sql));
}

/** Whether `run_sql` with these arguments looks at the metadata afterwards. */
export function modifiesSchema(given: unknown): boolean {
  const parsed = args.safeParse(given);
  return parsed.success && changesSchema(parsed.data);
}

export const runSqlCommands: Commands = { run_sql: command(args, runSql) };

async function runSql(parsed: z.output<typeof args>, context: CommandContext): Promise<unknown> {
  const { draft, builder } = context;
  const source = findSource(draft.state.metadata, parsed.source);
  const broken = draft.state.inconsistencies.some(
    ({ type, definition }) => type === 'source' && definition === source.name,
  );
  if (broken) throw new EngineError('not-exists', `source with name "${source.name}" is inconsistent`);
  const client = await builder.pool(source).connect();
  try {
    if (parsed.no_transaction) return await withoutTransaction(client, parsed, context);
    await client.query(parsed.read_only ? 'BEGIN READ ONLY' : 'BEGIN');
    await client.query(setSessionQuery(context.session));
    try {
      if (!changesSchema(parsed)) {
        const result = await execute(client, parsed.sql);
        await client.query('COMMIT');
        if (!parsed.read_only) draft.invalidate([source.name]);
        return result;
      }
      const before = await readCatalog(client);
      const result = await execute(client, parsed.sql);
      const after = await readCatalog(client);
      const metadata = followCatalog(draft.state.metadata, source.name, before, after, parsed.cascade);
      await client.query('COMMIT');
      draft.learn(source.name, after);
      await draft.change(metadata);
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  } finally {
    // The statement may have changed settings of the session (SET, search_path): it is not used again.
    client.release(true);
  }
}

async function withoutTransaction(
  client: pg.PoolClient,
  parsed: z.output<typeof args>,
  { draft }: CommandContext,
): Promise<unknown> {
  const before = await readCatalog(client);
  let result: unknown;
  const statements = splitStatements(parsed.sql);
  for (const statement of statements.length === 0 ? [parsed.sql] : statements)
    result = await execute(client, statement);
  if (changesSchema(parsed)) {
    const after = await readCatalog(client);
    draft.learn(parsed.source, after);
    await draft.change(followCatalog(draft.state.metadata, parsed.source, before, after, parsed.cascade));
  } else {
    draft.invalidate([parsed.source]);
  }
  return result;
}

const asText = { getTypeParser: () => (value: string | Buffer) => value.toString() };

/** The last statement's rows as text under a line of column names, or nothing. */
async function execute(client: pg.PoolClient, sql: string): Promise<unknown> {
  try {
    const results: unknown = await client.query({ text: sql, rowMode: 'array', types: asText });
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    const {
      fields,
      rows,
      command: done,
    } = z
      .object({
        /** Of a text without a statement there is none. */
        command: z.string().nullable(),
        fields: z.array(z.object({ name: z.string() })),
        rows: z.array(z.array(z.string().nullable())),
      })
      .parse(last);
    if (done === null) throw emptyQuery(sql);
    if (fields.length === 0) return { result_type: 'CommandOk', result: null };
    const cells = rows.map((row) => row.map((cell) => cell ?? 'NULL'));
    return { result_type: 'TuplesOk', result: [fields.map(({ name }) => name), ...cells] };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    throw failed(
      sql,
      {
        description: error.detail ?? null,
        exec_status: 'FatalError',
        hint: error.hint ?? null,
        message: error.message,
        status_code: error.code ?? '',
      },
      error,
    );
  }
}

const emptyQuery = (sql: string) =>
  failed(sql, { description: null, exec_status: 'EmptyQuery', hint: null, message: null, status_code: null });

function failed(sql: string, error: Readonly<Record<string, string | null>>, cause?: unknown): EngineError {
  return new EngineError('postgres-error', 'query execution failed', {
    cause,
    internal: { arguments: [], error, prepared: false, statement: sql },
  });
}
