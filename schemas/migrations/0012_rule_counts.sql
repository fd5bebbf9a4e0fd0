-- How many rows a rule could judge and how many fail, by the first day of the period: {"2026-01-01": [120, 3]}. Kept for rules of which
-- a publish judges only the periods that it touches; null for the others.
alter table core.rule_result add column counts jsonb;
