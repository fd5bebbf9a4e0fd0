-- Columns that no indicator and no rule reads leave the tables (minimisation, Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15): rank and
-- political theory of staff. The bytes that held them stay in the archive as long as all others. The views are made again from
-- the contract, which no longer has the columns.
drop view if exists mart_v1.staff, mart_v1.staff_history, mart_v1.staff_masked, mart_v1.staff_masked_history;
drop view if exists vault.staff, vault.staff_history;
drop view if exists staging.staff_rows;
alter table if exists staging.staff drop column if exists rank, drop column if exists political_theory;
alter table if exists core.staff drop column if exists rank, drop column if exists political_theory;
delete from core.conflict where dataset = 'staff' and attribute in ('rank', 'political_theory');
update ops.contract set shape = shape - 'rank' - 'political_theory', view_hash = '' where dataset = 'staff';
