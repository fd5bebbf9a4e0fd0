-- Shares of a divided unit that cannot be used: it was not divided on that day, the unit that takes one is none of its
-- successors, a successor has none, or they do not add up to the whole. What can be used: schemas/marts/v1/combined.
with declared as (
    select old_code, effective_date, sum(share) as total, count(*) as pairs
    from core.unit_shares
    where publish_to is null
    group by old_code, effective_date
),
divided as (
    select old_code, effective_date, count(*) as pairs
    from core.unit_change
    group by old_code, effective_date
    having count(*) > 1
)
select
    s.entity_id,
    s.valid_from,
    r.why is not null as failed,
    jsonb_build_object('unit', s.old_code, 'why', coalesce(r.why, '')) as params
from core.unit_shares s
join declared d using (old_code, effective_date)
left join divided x using (old_code, effective_date)
left join core.unit_change c
    on c.old_code = s.old_code and c.new_code = s.new_code and c.effective_date = s.effective_date
cross join lateral (
    select case
        when x.old_code is null then 'đơn vị này không bị chia vào ngày đã ghi'
        when c.old_code is null then s.new_code || ' không phải là đơn vị nhận'
        when d.pairs < x.pairs then 'mới có ' || d.pairs || ' trong ' || x.pairs || ' đơn vị nhận'
        when abs(d.total - 100) > 0.01 then 'các phần cộng lại không bằng 100 phần trăm'
    end as why
) r
where s.publish_to is null
