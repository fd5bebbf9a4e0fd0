-- Everybody who may send, communes first.
select code, name, kind, commune_code
from core.sender
order by kind <> 'commune', code
