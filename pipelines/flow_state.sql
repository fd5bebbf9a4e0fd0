-- What a database says of what it was made from: lists, contracts, indicators, and the views that are marked with their text.
select (select string_agg(version, ' ' order by version) from core.reference_version),
       (select md5(string_agg(concat_ws('|', dataset, version, view_hash, shape::text), ';' order by dataset)) from ops.contract),
       (select fingerprint from core.indicator_version),
       (select md5(string_agg(c.relname || ':' || d.description, ';' order by c.relname))
        from pg_class c join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
        where c.relnamespace = 'mart_v1'::regnamespace and c.relkind = 'v')
