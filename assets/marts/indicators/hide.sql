-- Counts of people below the limit are hidden: the part, the rest or the whole.
update _wanted w
set hidden = true
where w.indicator = %(code)s
  and (w.numerator between 1 and %(below)s - 1 or w.denominator between 1 and %(below)s - 1
       or w.denominator - w.numerator between 1 and %(below)s - 1)
