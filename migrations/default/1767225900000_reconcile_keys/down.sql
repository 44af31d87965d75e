DROP TABLE identity.reconcile_keys;
