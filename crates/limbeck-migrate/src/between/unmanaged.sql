-- What is seen and not managed: kind, name, and a text by which two of them are the same; then the schema and the table
-- for tables that are not to be compared as such.
WITH ours AS (
    SELECT n.oid, n.nspname FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_namespace'::regclass AND x.objid = n.oid AND x.deptype = 'e')
), own AS (
    SELECT c.*, n.nspname FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')
), odd AS (
    SELECT c.*, CASE WHEN c.relispartition THEN 'partition' WHEN c.relkind = 'p' THEN 'partitioned table' WHEN c.relkind = 'f' THEN 'foreign table'
            WHEN c.reloftype <> 0 THEN 'typed table' ELSE 'inheriting table' END AS kind
    FROM own c WHERE c.relkind IN ('p', 'f') OR (c.relkind = 'r' AND (c.relispartition OR c.reloftype <> 0
        OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)))
)
SELECT kind, named, coalesce(said, ''), schema::text, of::text FROM (
    SELECT 'extension' AS kind, format('%I', e.extname) AS named, e.extversion AS said, NULL::name AS schema, NULL::name AS of FROM pg_extension e
    UNION ALL SELECT 'type of an extension', format_type(t.oid, NULL), '', NULL, NULL FROM pg_type t JOIN pg_depend x ON x.classid = 'pg_type'::regclass
        AND x.objid = t.oid AND x.deptype = 'e' WHERE t.typcategory <> 'A'
    UNION ALL SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, c.oid::regclass::text,
        concat_ws(E'\n', pg_get_viewdef(c.oid), c.reloptions::text, obj_description(c.oid, 'pg_class'),
            (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)), ', ' ORDER BY a.attnum)
                FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)), NULL, NULL FROM own c WHERE c.relkind IN ('v', 'm')
    UNION ALL SELECT 'index of the materialized view ' || c.oid::regclass, i.indexrelid::regclass::text,
        concat_ws(E'\n', pg_get_indexdef(i.indexrelid), obj_description(i.indexrelid, 'pg_class')), NULL, NULL
        FROM pg_index i JOIN own c ON c.oid = i.indrelid WHERE c.relkind = 'm'
    UNION ALL SELECT o.kind, o.oid::regclass::text, concat_ws(E'\n', (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
            a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, col_description(o.oid, a.attnum)), ', ' ORDER BY a.attname) FROM pg_attribute a
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped),
        CASE WHEN o.relkind = 'p' THEN pg_get_partkeydef(o.oid) END, pg_get_expr(o.relpartbound, o.oid),
        (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = o.oid),
        (SELECT string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname) FROM pg_constraint k WHERE k.conrelid = o.oid),
        (SELECT string_agg(pg_get_indexdef(i.indexrelid), ', ' ORDER BY i.indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = o.oid),
        obj_description(o.oid, 'pg_class')), o.nspname, o.relname FROM odd o
    UNION ALL SELECT 'exclusion constraint', format('%s.%I', k.conrelid::regclass, k.conname),
        concat_ws(E'\n', pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')), NULL, NULL
        FROM pg_constraint k JOIN own c ON c.oid = k.conrelid WHERE k.contype = 'x'
    UNION ALL SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure::text,
        concat_ws(E'\n', CASE WHEN p.prokind = 'a' THEN (SELECT concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.aggtranstype::regtype, g.agginitval) FROM pg_aggregate g
            WHERE g.aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END, obj_description(p.oid, 'pg_proc')), NULL, NULL
        FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
        WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype IN ('e', 'i'))
    UNION ALL SELECT 'trigger', format('%I on %s', t.tgname, t.tgrelid::regclass),
        concat_ws(E'\n', pg_get_triggerdef(t.oid), t.tgenabled::text, obj_description(t.oid, 'pg_trigger')), NULL, NULL
        FROM pg_trigger t JOIN own c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL SELECT 'policy', format('%I on %s', p.polname, p.polrelid::regclass), concat_ws(E'\n', p.polcmd::text, p.polpermissive::text,
        (SELECT string_agg(coalesce(r.rolname, 'public'), ', ' ORDER BY r.rolname) FROM unnest(p.polroles) o (id) LEFT JOIN pg_roles r ON r.oid = o.id),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy')), NULL, NULL
        FROM pg_policy p JOIN own c ON c.oid = p.polrelid
    UNION ALL SELECT 'row security', c.oid::regclass::text, c.relforcerowsecurity::text, NULL, NULL FROM own c WHERE c.relrowsecurity OR c.relforcerowsecurity
    UNION ALL SELECT 'rule', format('%I on %s', r.rulename, r.ev_class::regclass), pg_get_ruledef(r.oid), NULL, NULL
        FROM pg_rewrite r JOIN own c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'
    UNION ALL SELECT CASE t.typtype WHEN 'r' THEN 'range type' ELSE 'base type' END, format_type(t.oid, NULL),
        (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid), NULL, NULL
        FROM pg_type t JOIN ours n ON n.oid = t.typnamespace WHERE (t.typtype = 'r' OR (t.typtype = 'b' AND t.typcategory <> 'A'))
        AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
    UNION ALL SELECT 'collation', o.oid::regcollation::text, concat_ws(' ', o.collprovider::text, o.collcollate, o.collctype), NULL, NULL
        FROM pg_collation o JOIN ours n ON n.oid = o.collnamespace
        WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_collation'::regclass AND x.objid = o.oid AND x.deptype = 'e')
    UNION ALL SELECT 'operator', o.oid::regoperator::text, o.oprcode::text, NULL, NULL FROM pg_operator o JOIN ours n ON n.oid = o.oprnamespace
        WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_operator'::regclass AND x.objid = o.oid AND x.deptype = 'e')
    UNION ALL SELECT 'event trigger', format('%I', e.evtname), e.evtfoid::regproc::text, NULL, NULL FROM pg_event_trigger e
        WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_event_trigger'::regclass AND x.objid = e.oid AND x.deptype = 'e')
    UNION ALL SELECT 'publication', format('%I', p.pubname), (SELECT string_agg(concat_ws('.', t.schemaname, t.tablename), ', ' ORDER BY 1)
        FROM pg_publication_tables t WHERE t.pubname = p.pubname), NULL, NULL FROM pg_publication p
    UNION ALL SELECT 'text search configuration', format('%I.%I', n.nspname, t.cfgname), '', NULL, NULL FROM pg_ts_config t JOIN ours n ON n.oid = t.cfgnamespace
        WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_ts_config'::regclass AND x.objid = t.oid AND x.deptype = 'e')
    UNION ALL SELECT 'privileges', w.what, string_agg(concat_ws(' ', coalesce(r.rolname, 'public'), x.privilege_type, x.is_grantable), ', '
            ORDER BY r.rolname, x.privilege_type), NULL, NULL
        FROM (
            SELECT 'on ' || c.oid::regclass, c.relacl, c.relowner FROM own c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            UNION ALL SELECT format('on %s.%I', c.oid::regclass, a.attname), a.attacl, c.relowner FROM pg_attribute a JOIN own c ON c.oid = a.attrelid
                WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0
            UNION ALL SELECT 'on ' || p.oid::regprocedure, p.proacl, p.proowner FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
                WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
            UNION ALL SELECT format('on schema %I', n.nspname), s.nspacl, s.nspowner FROM ours n JOIN pg_namespace s ON s.oid = n.oid
            UNION ALL SELECT 'on type ' || format_type(t.oid, NULL), t.typacl, t.typowner FROM pg_type t JOIN ours n ON n.oid = t.typnamespace
            UNION ALL SELECT concat_ws(' ', 'by default on', CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                WHEN 'T' THEN 'types' ELSE 'schemas' END, 'of', d.defaclrole::regrole, 'in schema ' || d.defaclnamespace::regnamespace), d.defaclacl, 0 FROM pg_default_acl d
        ) w (what, acl, owner) CROSS JOIN LATERAL aclexplode(w.acl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
        WHERE x.grantee <> w.owner GROUP BY w.what
) u ORDER BY kind, named
