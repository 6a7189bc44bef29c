-- What PostgreSQL has beside tables and what models say of them. One row for each thing (`key` is empty) and for each of
-- its settings: stage, place within the stage, kind, schema, table, part of the table, the name to show, the key; what
-- makes two of that key the same; the statements that make it, take it back, and change it where both sides have it;
-- and whether the statement that makes the thing says it already. The last column is what else hangs on it.
WITH ours AS (
    SELECT n.oid, n.nspname FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_namespace'::regclass AND x.objid = n.oid AND x.deptype = 'e')
), tables AS (
    SELECT c.*, n.nspname FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND NOT c.relispartition
        AND c.reloftype = 0
        AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')
), sequences AS (
    SELECT c.oid, s.*, c.oid::regclass::text AS named, x.deptype::text AS bond, x.refobjid, x.refobjsubid,
        o.nspname AS on_schema, o.relname AS on_table, a.attname AS on_column,
        CASE WHEN s.seqmin = CASE WHEN s.seqincrement > 0 THEN 1 ELSE l.least END THEN 'NO MINVALUE' ELSE 'MINVALUE ' || s.seqmin END AS low,
        CASE WHEN s.seqmax = CASE WHEN s.seqincrement > 0 THEN l.most ELSE -1 END THEN 'NO MAXVALUE' ELSE 'MAXVALUE ' || s.seqmax END AS high
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN ours n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT CASE s.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END AS most,
        CASE s.seqtypid WHEN 21 THEN -32768 WHEN 23 THEN -2147483648 ELSE (-9223372036854775808)::bigint END AS least) l
    LEFT JOIN pg_depend x ON x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.objsubid = 0
        AND x.refclassid = 'pg_class'::regclass AND x.deptype IN ('a', 'i') AND x.refobjsubid > 0
    LEFT JOIN tables o ON o.oid = x.refobjid
    LEFT JOIN pg_attribute a ON a.attrelid = x.refobjid AND a.attnum = x.refobjsubid
    WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
), types AS (
    SELECT t.*, n.nspname, format_type(t.oid, NULL) AS named,
        CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) || coalesce((SELECT ' COLLATE ' || o.oid::regcollation::text
            FROM pg_collation o, pg_type b WHERE b.oid = t.typbasetype AND o.oid = t.typcollation AND b.typcollation <> o.oid), '') END AS base
    FROM pg_type t JOIN ours n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE (t.typtype IN ('d', 'e') OR (t.typtype = 'c' AND c.relkind = 'c'))
        AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
), special AS (
    SELECT k.oid, k.conname, k.contype, t.nspname, t.relname, t.oid::regclass::text AS on_table, pg_get_constraintdef(k.oid) AS said
    FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u')
    LEFT JOIN pg_class ic ON ic.oid = i.indexrelid
    WHERE k.contype IN ('p', 'u', 'f', 'c') AND (NOT k.convalidated OR (k.contype IN ('p', 'u') AND (k.condeferrable OR i.indnkeyatts <> i.indnatts))
        OR (k.contype = 'f' AND (k.confmatchtype = 'f' OR jsonb_typeof(to_jsonb(k) -> 'confdelsetcols') = 'array')))
), facts AS (
    SELECT 0 AS stage, n.oid::bigint AS place, 'schema' AS kind, NULL::name AS schema, NULL::name AS of, NULL::name AS part,
        format('%I', n.nspname) AS named, '' AS key, '' AS base, format('CREATE SCHEMA %I', n.nspname) AS make,
        format('DROP SCHEMA %I', n.nspname) AS take, '' AS change, false AS inline, '' AS extra FROM ours n
    UNION ALL SELECT 70, n.oid, 'schema', NULL, NULL, NULL, format('%I', n.nspname), 'comment', d, format('COMMENT ON SCHEMA %I IS %L', n.nspname, d),
        format('COMMENT ON SCHEMA %I IS NULL', n.nspname), '', false, '' FROM ours n CROSS JOIN LATERAL obj_description(n.oid, 'pg_namespace') d WHERE d IS NOT NULL
    -- Sequences, but for those of identities.
    UNION ALL SELECT 10, s.oid, 'sequence', s.on_schema, s.on_table, s.on_column, s.named, '', '', concat_ws(' ', 'CREATE SEQUENCE', s.named,
            CASE WHEN s.seqtypid <> 20 THEN 'AS ' || format_type(s.seqtypid, NULL) END,
            CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
            CASE WHEN s.low <> 'NO MINVALUE' THEN s.low END, CASE WHEN s.high <> 'NO MAXVALUE' THEN s.high END,
            CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END THEN 'START WITH ' || s.seqstart END,
            CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END, CASE WHEN s.seqcycle THEN 'CYCLE' END),
        'DROP SEQUENCE ' || s.named, '', false, coalesce(s.seqstart::text, '') FROM sequences s WHERE s.bond IS DISTINCT FROM 'i'
    UNION ALL SELECT 50, s.oid, 'sequence', s.on_schema, s.on_table, s.on_column, s.named, 'options', o, o, '', '', true,
            concat_ws(' ', coalesce(pg_sequence_last_value(s.oid), s.seqstart), s.seqstart, s.seqmin, s.seqmax)
        FROM sequences s CROSS JOIN LATERAL concat_ws(' ', 'ALTER SEQUENCE', s.named, 'AS', format_type(s.seqtypid, NULL), 'INCREMENT BY',
            s.seqincrement, s.low, s.high, 'START WITH', s.seqstart, 'CACHE', s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) o
        WHERE s.bond IS DISTINCT FROM 'i'
    UNION ALL SELECT 50, s.oid, 'sequence', s.on_schema, s.on_table, s.on_column, s.named, 'owned by', o, o,
        format('ALTER SEQUENCE %s OWNED BY NONE', s.named), '', false, ''
        FROM sequences s CROSS JOIN LATERAL format('ALTER SEQUENCE %s OWNED BY %s.%I', s.named, s.refobjid::regclass, s.on_column) o
        WHERE s.bond = 'a'
    UNION ALL SELECT 50, s.oid, 'identity of', s.on_schema, s.on_table, s.on_column, format('%s.%I', s.refobjid::regclass, s.on_column), 'options', o, o,
        format('ALTER TABLE %s ALTER COLUMN %I SET NO MINVALUE SET NO MAXVALUE SET CACHE 1 SET NO CYCLE', s.refobjid::regclass, s.on_column), '',
            s.low = 'NO MINVALUE' AND s.high = 'NO MAXVALUE' AND s.seqcache = 1 AND NOT s.seqcycle,
            concat_ws(' ', coalesce(pg_sequence_last_value(s.oid), s.seqstart), s.seqstart, s.seqmin, s.seqmax)
        FROM sequences s CROSS JOIN LATERAL format('ALTER TABLE %s ALTER COLUMN %I SET %s SET %s SET CACHE %s SET %s', s.refobjid::regclass,
            s.on_column, s.low, s.high, s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) o
        WHERE s.bond = 'i'
    UNION ALL SELECT 70, s.oid, CASE WHEN s.bond = 'i' THEN 'identity sequence' ELSE 'sequence' END, s.on_schema, s.on_table, s.on_column, s.named, 'comment', d,
        format('COMMENT ON SEQUENCE %s IS %L', s.named, d), format('COMMENT ON SEQUENCE %s IS NULL', s.named), '', false, ''
        FROM sequences s CROSS JOIN LATERAL obj_description(s.oid, 'pg_class') d WHERE d IS NOT NULL
    -- Domains, composite types, and the enumerations of other schemas.
    UNION ALL SELECT 20, t.oid, 'domain', NULL, NULL, NULL, t.named, '', t.base, concat_ws(' ', 'CREATE DOMAIN', t.named, 'AS', t.base,
            'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN 'NOT NULL' END,
            (SELECT string_agg(format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), ' ' ORDER BY k.conname)
                FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated)),
        'DROP DOMAIN ' || t.named, '', false, t.nspname FROM types t WHERE t.typtype = 'd'
    UNION ALL SELECT 21, t.oid, 'domain', NULL, NULL, NULL, t.named, 'default', pg_get_expr(t.typdefaultbin, 0),
        format('ALTER DOMAIN %s SET DEFAULT %s', t.named, pg_get_expr(t.typdefaultbin, 0)), format('ALTER DOMAIN %s DROP DEFAULT', t.named), '', true, ''
        FROM types t WHERE t.typtype = 'd' AND t.typdefaultbin IS NOT NULL
    UNION ALL SELECT 21, t.oid, 'domain', NULL, NULL, NULL, t.named, 'NOT NULL', '', format('ALTER DOMAIN %s SET NOT NULL', t.named),
        format('ALTER DOMAIN %s DROP NOT NULL', t.named), '', true, '' FROM types t WHERE t.typtype = 'd' AND t.typnotnull
    UNION ALL SELECT 21, t.oid, 'domain', NULL, NULL, NULL, t.named, k.conname || ' ' || d, '', format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', t.named, k.conname, d),
        format('ALTER DOMAIN %s DROP CONSTRAINT %I', t.named, k.conname), '', k.convalidated, ''
        FROM types t JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'c' CROSS JOIN LATERAL pg_get_constraintdef(k.oid) d
    UNION ALL SELECT 70, k.oid, 'domain', NULL, NULL, NULL, t.named, 'comment of ' || k.conname, d, format('COMMENT ON CONSTRAINT %I ON DOMAIN %s IS %L', k.conname, t.named, d),
        format('COMMENT ON CONSTRAINT %I ON DOMAIN %s IS NULL', k.conname, t.named), '', false, ''
        FROM types t JOIN pg_constraint k ON k.contypid = t.oid CROSS JOIN LATERAL obj_description(k.oid, 'pg_constraint') d WHERE d IS NOT NULL
    UNION ALL SELECT 20, t.oid, 'type', NULL, NULL, NULL, t.named, '', '', format('CREATE TYPE %s AS (%s)', t.named,
            (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) FROM pg_attribute a
                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)),
        'DROP TYPE ' || t.named, '', false, t.nspname FROM types t WHERE t.typtype = 'c'
    UNION ALL SELECT 21, t.oid, 'type', NULL, NULL, NULL, t.named, format('attribute %I', a.attname), d,
        format('ALTER TYPE %s ADD ATTRIBUTE %I %s', t.named, a.attname, d), format('ALTER TYPE %s DROP ATTRIBUTE %I', t.named, a.attname),
        format('ALTER TYPE %s ALTER ATTRIBUTE %I TYPE %s', t.named, a.attname, d), true, ''
        FROM types t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN LATERAL format_type(a.atttypid, a.atttypmod) d WHERE t.typtype = 'c'
    UNION ALL SELECT 70, t.oid, 'type', NULL, NULL, NULL, t.named, 'comment of ' || a.attname, d, format('COMMENT ON COLUMN %s.%I IS %L', t.named, a.attname, d),
        format('COMMENT ON COLUMN %s.%I IS NULL', t.named, a.attname), '', false, ''
        FROM types t JOIN pg_attribute a ON a.attrelid = t.typrelid CROSS JOIN LATERAL col_description(a.attrelid, a.attnum) d WHERE d IS NOT NULL AND t.typtype = 'c'
    UNION ALL SELECT 20, t.oid, 'type', NULL, NULL, NULL, t.named, '', l, format('CREATE TYPE %s AS ENUM (%s)', t.named, l), 'DROP TYPE ' || t.named, '', false, t.nspname
        FROM types t CROSS JOIN LATERAL (SELECT coalesce(string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder), '') AS l FROM pg_enum e
            WHERE e.enumtypid = t.oid) e WHERE t.typtype = 'e' AND (t.nspname::text IS DISTINCT FROM $1::text OR l = '')
    UNION ALL SELECT 70, t.oid, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, NULL, NULL, NULL, t.named, 'comment', d,
        format('COMMENT ON %s %s IS %L', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.named, d),
        format('COMMENT ON %s %s IS NULL', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.named), '', false, ''
        FROM types t CROSS JOIN LATERAL obj_description(t.oid, 'pg_type') d WHERE d IS NOT NULL
    -- Constraints that say more than models can.
    UNION ALL SELECT CASE k.contype WHEN 'f' THEN 61 ELSE 60 END, k.oid, 'constraint', k.nspname, k.relname, k.conname,
        format('%s.%I', k.on_table, k.conname), '', k.said, format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.on_table, k.conname, k.said),
        format('ALTER TABLE %s DROP CONSTRAINT %I', k.on_table, k.conname), '', false, '' FROM special k
    UNION ALL SELECT 70, k.oid, 'constraint', t.nspname, t.relname, k.conname, format('%s.%I', t.oid::regclass, k.conname), 'comment', d,
        format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, t.oid::regclass, d),
        format('COMMENT ON CONSTRAINT %I ON %s IS NULL', k.conname, t.oid::regclass), '', false, ''
        FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid CROSS JOIN LATERAL obj_description(k.oid, 'pg_constraint') d WHERE d IS NOT NULL
    UNION ALL SELECT 62, k.oid, 'constraint', t.nspname, t.relname, k.conname, format('%s.%I', t.oid::regclass, k.conname), split_part(o, '=', 1), o,
        format('ALTER INDEX %s SET (%s)', k.conindid::regclass, o), format('ALTER INDEX %s RESET (%s)', k.conindid::regclass, split_part(o, '=', 1)), '', false, ''
        FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid AND k.contype IN ('p', 'u') JOIN pg_class i ON i.oid = k.conindid CROSS JOIN LATERAL unnest(i.reloptions) o
    UNION ALL SELECT 70, k.oid, 'constraint', t.nspname, t.relname, k.conname, format('%s.%I', t.oid::regclass, k.conname), 'comment of its index', d,
        format('COMMENT ON INDEX %s IS %L', k.conindid::regclass, d), format('COMMENT ON INDEX %s IS NULL', k.conindid::regclass), '', false, ''
        FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid AND k.contype IN ('p', 'u') CROSS JOIN LATERAL obj_description(k.conindid, 'pg_class') d WHERE d IS NOT NULL
    UNION ALL SELECT 55, s.oid, 'statistics', t.nspname, t.relname, s.stxname, format('%I.%I', n.nspname, s.stxname), '', d, d,
        format('DROP STATISTICS %I.%I', n.nspname, s.stxname), '', false, ''
        FROM pg_statistic_ext s JOIN tables t ON t.oid = s.stxrelid JOIN ours n ON n.oid = s.stxnamespace CROSS JOIN LATERAL pg_get_statisticsobjdef(s.oid) d
    UNION ALL SELECT 56, s.oid, 'statistics', t.nspname, t.relname, s.stxname, format('%I.%I', n.nspname, s.stxname), 'target', d,
        format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, d), format('ALTER STATISTICS %I.%I SET STATISTICS -1', n.nspname, s.stxname), '', false, ''
        FROM pg_statistic_ext s JOIN tables t ON t.oid = s.stxrelid JOIN ours n ON n.oid = s.stxnamespace
        CROSS JOIN LATERAL (SELECT to_jsonb(s) ->> 'stxstattarget' AS d) d WHERE d.d::int >= 0
    UNION ALL SELECT 70, s.oid, 'statistics', t.nspname, t.relname, s.stxname, format('%I.%I', n.nspname, s.stxname), 'comment', d,
        format('COMMENT ON STATISTICS %I.%I IS %L', n.nspname, s.stxname, d), format('COMMENT ON STATISTICS %I.%I IS NULL', n.nspname, s.stxname), '', false, ''
        FROM pg_statistic_ext s JOIN tables t ON t.oid = s.stxrelid JOIN ours n ON n.oid = s.stxnamespace
        CROSS JOIN LATERAL obj_description(s.oid, 'pg_statistic_ext') d WHERE d IS NOT NULL
    -- How tables and columns are kept.
    UNION ALL SELECT 51, t.oid, 'table', t.nspname, t.relname, NULL, t.oid::regclass::text, split_part(o, '=', 1), o, format('ALTER TABLE %s SET (%s)', t.oid::regclass, o),
        format('ALTER TABLE %s RESET (%s)', t.oid::regclass, split_part(o, '=', 1)), '', false, ''
        FROM tables t CROSS JOIN LATERAL (SELECT unnest(t.reloptions) UNION ALL SELECT 'toast.' || unnest(x.reloptions) FROM pg_class x
            WHERE x.oid = t.reltoastrelid) o (o)
    UNION ALL SELECT 65, t.oid, 'table', t.nspname, t.relname, NULL, t.oid::regclass::text, 'replica identity', o, format('ALTER TABLE %s REPLICA IDENTITY %s', t.oid::regclass, o),
        format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', t.oid::regclass), '', false, coalesce(x.relname, '')
        FROM tables t LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisreplident LEFT JOIN pg_class x ON x.oid = i.indexrelid
        CROSS JOIN LATERAL (SELECT CASE t.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE format('USING INDEX %I', x.relname) END) o (o)
        WHERE t.relreplident IN ('f', 'n') OR (t.relreplident = 'i' AND x.oid IS NOT NULL)
    UNION ALL SELECT 65, t.oid, 'table', t.nspname, t.relname, NULL, t.oid::regclass::text, 'cluster', o, o,
        format('ALTER TABLE %s SET WITHOUT CLUSTER', t.oid::regclass), '', false, x.relname
        FROM tables t JOIN pg_index i ON i.indrelid = t.oid AND i.indisclustered JOIN pg_class x ON x.oid = i.indexrelid
        CROSS JOIN LATERAL format('ALTER TABLE %s CLUSTER ON %I', t.oid::regclass, x.relname) o
    UNION ALL SELECT 52, t.oid, 'column', t.nspname, t.relname, a.attname, format('%s.%I', t.oid::regclass, a.attname), s.key, s.value,
        format('ALTER TABLE %s ALTER COLUMN %I SET %s', t.oid::regclass, a.attname, s.value),
        format('ALTER TABLE %s ALTER COLUMN %I %s', t.oid::regclass, a.attname, s.back), '', false, ''
        FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type y ON y.oid = a.atttypid
        CROSS JOIN LATERAL (
            SELECT 'storage', 'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END, 'SET STORAGE ' || CASE y.typstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END WHERE a.attstorage <> y.typstorage
            UNION ALL SELECT 'statistics', 'STATISTICS ' || a.attstattarget, 'SET STATISTICS -1' WHERE a.attstattarget >= 0
            UNION ALL SELECT 'compression', 'COMPRESSION ' || CASE to_jsonb(a) ->> 'attcompression' WHEN 'l' THEN 'lz4' ELSE 'pglz' END, 'SET COMPRESSION default'
                WHERE to_jsonb(a) ->> 'attcompression' IN ('p', 'l')
            UNION ALL SELECT split_part(o, '=', 1), '(' || o || ')', 'RESET (' || split_part(o, '=', 1) || ')' FROM unnest(a.attoptions) o
        ) s (key, value, back)
)
SELECT stage, kind, schema::text, of::text, part::text, named, key, base, make, take, change, inline, extra FROM facts ORDER BY stage, place, key
