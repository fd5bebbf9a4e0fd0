-- own_from, own_to = the row's own validity where the dataset's rows carry one, else null. within = the assessments to look at.
    select o._assessment, o._sheet, o._row, o._key as key, o._value, o._ok, ({own_from})::date as vf, ({own_to})::date as vt, t.whole
    from _touched t
    join staging.{name} o on o._key = t.entity_id{within}
