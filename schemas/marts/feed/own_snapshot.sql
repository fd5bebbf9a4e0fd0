-- What one dataset showed as of a publish, of what is the reader's now: rows of its own units, or all where it was granted the dataset.
create function mart_v1.own_feed_snapshot(of_dataset text, of_publish bigint)
returns table (entity_id bigint, valid_from date, valid_to date, key jsonb, data jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $_$
#variable_conflict use_column
declare
    _shows bigint;
    _units text[] := ops.own_units();
    _whole boolean := of_dataset = any (ops.own_datasets());
begin
    if not exists (select from mart_v1.own_feed_datasets d where d.dataset = of_dataset) then
        raise exception using errcode = 'no_data_found', message = 'nothing of that name is in the feed of one''s own',
            hint = 'mart_v1.own_feed_datasets has what there is';
    end if;
    _shows := core.shows_at(of_publish);
    case of_dataset
{cases}
    end case;
end
$_$
