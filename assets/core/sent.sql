-- Of some datasets those that somebody ever sent: staged submissions, or standings of what was taken out of the ledger since.
select d
from unnest(%(datasets)s::text[]) d
where exists (select from intake.submission u where u.dataset = d and u.state not in ('received', 'rejected'))
   or exists (select from core.standing s where s.dataset = d and s.publish_to is null)
