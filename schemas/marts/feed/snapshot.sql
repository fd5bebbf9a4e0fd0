-- What one dataset showed as of a publish, in the form of the feed: for apps, who may not see what is beneath.
create function mart_v1.feed_snapshot(of_dataset text, of_publish bigint)
returns table (entity_id bigint, valid_from date, valid_to date, key jsonb, data jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $_$
#variable_conflict use_column
declare
    _shows bigint := core.shows_at(of_publish);
begin
    case of_dataset
{cases}
    else raise exception using errcode = 'no_data_found', message = 'nothing of that name is in the feed',
        hint = 'mart_v1.feed_datasets has what there is';
    end case;
end
$_$
