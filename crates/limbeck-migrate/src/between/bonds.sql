-- What unmanaged things depend on, which cannot be changed under them: kind and name, and the schema, table and column, or
-- the type.
WITH users AS (
    SELECT 'pg_rewrite'::regclass::oid AS class, r.oid, CASE WHEN r.rulename <> '_RETURN' THEN 'rule' WHEN c.relkind = 'm' THEN 'materialized view' ELSE 'view' END AS kind,
        CASE WHEN r.rulename <> '_RETURN' THEN format('%I on %s', r.rulename, c.oid::regclass) ELSE c.oid::regclass::text END AS named, c.oid AS own
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL SELECT 'pg_proc'::regclass, p.oid, 'function', p.oid::regprocedure::text, 0 FROM pg_proc p WHERE p.oid >= 16384
    UNION ALL SELECT 'pg_policy'::regclass, p.oid, 'policy', format('%I on %s', p.polname, p.polrelid::regclass), p.polrelid FROM pg_policy p
    UNION ALL SELECT 'pg_trigger'::regclass, t.oid, 'trigger', format('%I on %s', t.tgname, t.tgrelid::regclass), t.tgrelid FROM pg_trigger t WHERE NOT t.tgisinternal
    UNION ALL SELECT 'pg_class'::regclass, c.oid, 'view', c.oid::regclass::text, 0 FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384
    UNION ALL SELECT 'pg_class'::regclass, c.oid, 'partitioned or inheriting table', c.oid::regclass::text, 0 FROM pg_class c
        WHERE c.oid >= 16384 AND (c.relkind IN ('p', 'f') OR c.relispartition OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid))
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 'exclusion constraint', format('%s.%I', k.conrelid::regclass, k.conname), k.conrelid FROM pg_constraint k
        WHERE k.contype = 'x'
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 'foreign key of a partitioned or inheriting table', format('%s.%I', k.conrelid::regclass, k.conname), k.conrelid
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' AND (c.relkind = 'p' OR c.relispartition)
)
SELECT DISTINCT u.kind, u.named, n.nspname::text, c.relname::text, a.attname::text, u.own = c.oid, format_type(t.oid, NULL)
FROM users u JOIN pg_depend x ON x.classid = u.class AND x.objid = u.oid AND x.deptype IN ('n', 'a')
LEFT JOIN pg_type t0 ON x.refclassid = 'pg_type'::regclass AND t0.oid = x.refobjid AND t0.oid >= 16384
LEFT JOIN pg_class rc ON rc.oid = t0.typrelid AND rc.relkind <> 'c'
LEFT JOIN pg_type t ON t.oid = t0.oid AND rc.oid IS NULL
LEFT JOIN pg_class c ON c.oid = CASE WHEN x.refclassid = 'pg_class'::regclass THEN x.refobjid ELSE rc.oid END AND c.relkind = 'r'
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.refobjsubid AND x.refobjsubid > 0 AND x.refclassid = 'pg_class'::regclass
WHERE c.oid >= 16384 OR t.oid IS NOT NULL
ORDER BY 1, 2, 3, 4, 5
