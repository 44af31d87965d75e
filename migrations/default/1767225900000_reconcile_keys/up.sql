-- What an unfinished repair has listed, so that another process can go on where this one was cut off:
-- eight bytes of each key's hash, a few thousand keys a row. They go when their run has ended.
CREATE TABLE identity.reconcile_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  reconcile_id uuid NOT NULL REFERENCES identity.reconciles ON DELETE CASCADE,
  keys text NOT NULL
);
COMMENT ON TABLE identity.reconcile_keys IS 'What unfinished repairs have listed so far.';
COMMENT ON COLUMN identity.reconcile_keys.keys IS 'Base64; eight bytes for each key.';

CREATE INDEX reconcile_keys_of_run ON identity.reconcile_keys (reconcile_id, id);
