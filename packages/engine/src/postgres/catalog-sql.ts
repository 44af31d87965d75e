/**
 * One statement for the whole catalogue. `pg_relation_is_updatable` is asked of views only: it is slow,
 * and tables are always writable.
 */
export const CATALOG_SQL = `
WITH namespaces AS (
  SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'hdb_catalog', 'hdb_views', 'hdb_lib')
    AND nspname NOT LIKE 'pg\\_toast%' AND nspname NOT LIKE 'pg\\_temp%'
), relations AS (
  SELECT c.oid, c.relname, c.relkind, c.reltype, n.nspname
  FROM pg_catalog.pg_class c JOIN namespaces n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p')
), columns AS (
  SELECT a.attrelid,
    json_agg(json_build_object(
      'name', a.attname, 'position', a.attnum, 'type', a.atttypid::bigint,
      'nullable', NOT (a.attnotnull OR t.typnotnull),
      'has_default', a.atthasdef AND a.attgenerated = '',
      'identity', a.attidentity, 'generated', a.attgenerated <> '',
      'description', d.description
    ) ORDER BY a.attnum) AS columns
  FROM pg_catalog.pg_attribute a
  JOIN relations r ON r.oid = a.attrelid
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_description d
    ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::regclass
  WHERE a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid
), constraints AS (
  SELECT c.conrelid, c.contype, c.conname, c.confrelid, k.columns, k.pairs
  FROM pg_catalog.pg_constraint c
  JOIN relations r ON r.oid = c.conrelid
  CROSS JOIN LATERAL (
    SELECT json_agg(l.attname ORDER BY i) AS columns,
      json_agg(json_build_array(l.attname, f.attname) ORDER BY i) AS pairs
    FROM generate_subscripts(c.conkey, 1) i
    JOIN pg_catalog.pg_attribute l ON l.attrelid = c.conrelid AND l.attnum = c.conkey[i]
    LEFT JOIN pg_catalog.pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[i]
  ) k
  WHERE c.contype IN ('p', 'u', 'f')
), tables AS (
  SELECT json_build_object(
    'oid', r.oid::bigint,
    'name', json_build_object('schema', r.nspname, 'name', r.relname),
    'relkind', r.relkind,
    'columns', coalesce((SELECT c.columns FROM columns c WHERE c.attrelid = r.oid), '[]'),
    'primary_key', (SELECT json_build_object('name', c.conname, 'columns', c.columns)
      FROM constraints c WHERE c.conrelid = r.oid AND c.contype = 'p'),
    'unique', coalesce((SELECT json_agg(json_build_object('name', c.conname, 'columns', c.columns) ORDER BY c.conname)
      FROM constraints c WHERE c.conrelid = r.oid AND c.contype = 'u'), '[]'),
    'foreign_keys', coalesce((SELECT json_agg(json_build_object('name', c.conname, 'columns', c.pairs,
        'target', json_build_object('schema', t.nspname, 'name', t.relname)) ORDER BY c.conname)
      FROM constraints c JOIN relations t ON t.oid = c.confrelid WHERE c.conrelid = r.oid AND c.contype = 'f'), '[]'),
    'events', CASE WHEN r.relkind = 'v' THEN pg_catalog.pg_relation_is_updatable(r.oid, true) ELSE 28 END,
    'description', (SELECT d.description FROM pg_catalog.pg_description d
      WHERE d.objoid = r.oid AND d.objsubid = 0 AND d.classoid = 'pg_catalog.pg_class'::regclass)
  ) AS entry FROM relations r
), functions AS (
  SELECT p.oid, p.prorettype, p.proargtypes, json_build_object(
    'oid', p.oid::bigint,
    'name', json_build_object('schema', n.nspname, 'name', p.proname),
    'volatility', p.provolatile,
    'variadic', p.provariadic <> 0,
    'argument_types', coalesce((SELECT json_agg(t::bigint ORDER BY i) FROM unnest(p.proargtypes) WITH ORDINALITY a(t, i)), '[]'),
    'argument_names', coalesce((SELECT json_agg(a.name ORDER BY a.i) FROM
      unnest(p.proargnames, p.proargmodes) WITH ORDINALITY a(name, mode, i)
      WHERE a.mode IS NULL OR a.mode IN ('i', 'b', 'v')), '[]'),
    'defaults', p.pronargdefaults,
    'return_type', p.prorettype::bigint,
    'returns_set', p.proretset,
    'returns_table', (SELECT json_build_object('schema', r.nspname, 'name', r.relname)
      FROM relations r WHERE r.reltype = p.prorettype),
    'description', (SELECT d.description FROM pg_catalog.pg_description d
      WHERE d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_proc'::regclass)
  ) AS entry
  FROM pg_catalog.pg_proc p JOIN namespaces n ON n.oid = p.pronamespace
  WHERE p.prokind = 'f'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
      WHERE d.objid = p.oid AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e')
), used_types AS (
  SELECT a.atttypid AS oid FROM pg_catalog.pg_attribute a JOIN relations r ON r.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION SELECT prorettype FROM functions
  UNION SELECT unnest(proargtypes) FROM functions
), all_types AS (
  SELECT oid FROM used_types
  UNION SELECT t.typelem FROM pg_catalog.pg_type t JOIN used_types u ON u.oid = t.oid WHERE t.typelem <> 0
  UNION SELECT t.typbasetype FROM pg_catalog.pg_type t JOIN used_types u ON u.oid = t.oid WHERE t.typbasetype <> 0
), types AS (
  SELECT t.* FROM pg_catalog.pg_type t WHERE t.oid IN (
    SELECT oid FROM all_types
    UNION SELECT t.typelem FROM pg_catalog.pg_type t JOIN all_types u ON u.oid = t.oid WHERE t.typelem <> 0
    UNION SELECT t.typbasetype FROM pg_catalog.pg_type t JOIN all_types u ON u.oid = t.oid WHERE t.typbasetype <> 0
  )
)
SELECT json_build_object(
  'version', current_setting('server_version_num')::integer,
  'types', coalesce((SELECT json_agg(json_build_object('oid', oid::bigint,
    'schema', (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = typnamespace), 'name', typname,
    'sql', format_type(oid, NULL),
    'kind', typtype, 'category', typcategory, 'element', typelem::bigint, 'base', typbasetype::bigint)) FROM types), '[]'),
  'tables', coalesce((SELECT json_agg(entry) FROM tables), '[]'),
  'functions', coalesce((SELECT json_agg(entry) FROM functions), '[]')
) AS catalog`;
