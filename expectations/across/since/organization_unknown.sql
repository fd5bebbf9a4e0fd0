-- Since ever, where there is a list of organisations for the first time, or none any more: without one nothing is judged. Parameter:
-- publish.
select date '0001-01-01'
where exists (select from core.organizations where publish_to is null)
   <> exists (
       select from core.organizations
       where publish_from < %(publish)s and (publish_to is null or publish_to = %(publish)s)
   )
