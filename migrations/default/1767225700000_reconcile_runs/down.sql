DROP INDEX identity.reconciles_one_at_a_time;
ALTER TABLE identity.reconciles
  DROP CONSTRAINT reconciles_task_is_known,
  DROP COLUMN task,
  DROP COLUMN holder,
  DROP COLUMN heard_at,
  DROP COLUMN error;
