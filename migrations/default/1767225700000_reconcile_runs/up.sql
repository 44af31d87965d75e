-- A provider has one reconcile under way at most, in whatever process: while its row is unfinished
-- the index refuses another. Whoever holds the row says so every few seconds; a run that has fallen
-- silent may be taken over.
ALTER TABLE identity.reconciles
  ADD COLUMN task text NOT NULL DEFAULT 'repair',
  ADD COLUMN holder uuid,
  ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN error text,
  ADD CONSTRAINT reconciles_task_is_known CHECK (task IN ('backfill', 'drift', 'repair'));
COMMENT ON COLUMN identity.reconciles.holder IS 'The process that works on it; nobody else may move the cursor.';
COMMENT ON COLUMN identity.reconciles.heard_at IS 'When its holder last said that it is alive.';
COMMENT ON COLUMN identity.reconciles.error IS 'Why it ended early.';

CREATE UNIQUE INDEX reconciles_one_at_a_time ON identity.reconciles (provider) WHERE finished_at IS NULL;
