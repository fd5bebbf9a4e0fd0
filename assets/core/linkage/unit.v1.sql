WITH

__splink__df_pruned_predict_input_with_tf_l as (
    select
    records.*
    from records
),

__splink__df_pruned_predict_input_with_tf_r as (
    select
    records.*
    from records
),

blocked_with_cols as (
    select
    "l"."record" AS "record_l",
    "r"."record" AS "record_r",
    "l"."fold" AS "fold_l",
    "r"."fold" AS "fold_r",
    "l"."name" AS "name_l",
    "r"."name" AS "name_r",
    "l"."spread" AS "spread_l",
    "r"."spread" AS "spread_r",
    "l"."pattern" AS "pattern_l",
    "r"."pattern" AS "pattern_r",
    "l"."plain" AS "plain_l",
    "r"."plain" AS "plain_r",
    "l"."syllables" AS "syllables_l",
    "r"."syllables" AS "syllables_r",
    "l"."whole" AS "whole_l",
    "r"."whole" AS "whole_r",
    "l"."left_out" AS "left_out_l",
    "r"."left_out" AS "left_out_r",
    "l"."tokens" AS "tokens_l",
    "r"."tokens" AS "tokens_r",
    "l"."words" AS "words_l",
    "r"."words" AS "words_r",
    "l"."type" AS "type_l",
    "r"."type" AS "type_r",
    "l"."code" AS "code_l",
    "r"."code" AS "code_r",
    b.match_key
    from pairs as b
    inner join __splink__df_pruned_predict_input_with_tf_l as l
    on l."record" = b.join_key_l
    inner join __splink__df_pruned_predict_input_with_tf_r as r
    on r."record" = b.join_key_r
),

__splink__df_comparison_vectors as (
    select
    "record_l",
    "record_r",
    CASE
        WHEN fold_l is null or fold_r is null THEN -1
        WHEN name_l = name_r THEN 10
        WHEN fold_l <> fold_r and (regexp_full_match(spread_l, pattern_r) or regexp_full_match(spread_r, pattern_l)) THEN 9
        WHEN fold_l = fold_r and (plain_l or plain_r) THEN 8
        WHEN length(fold_l) >= 11 and fold_l = fold_r and one_differs(syllables_l, syllables_r) THEN 7
        WHEN least(length(fold_l), length(fold_r)) >= 11 and damerau_levenshtein(fold_l, fold_r) = 1 THEN 6
        WHEN fold_l = fold_r and one_differs(syllables_l, syllables_r) THEN 5
        WHEN damerau_levenshtein(fold_l, fold_r) = 1 or damerau_levenshtein(whole_l, whole_r) = 1 THEN 4
        WHEN list_contains(left_out_l, fold_r) or list_contains(left_out_r, fold_l) THEN 3
        WHEN tokens_l = tokens_r THEN 2
        WHEN mostly_one(words_l, words_r) THEN 1
        ELSE 0
    END as gamma_name,
    CASE
        WHEN type_l is null or type_r is null THEN -1
        WHEN type_l = type_r THEN 1
        ELSE 0
    END as gamma_type,
    CASE
        WHEN code_l is null or code_r is null THEN -1
        WHEN code_l = code_r THEN 1
        ELSE 0
    END as gamma_code,
    match_key
    from blocked_with_cols
),

__splink__df_match_weight_parts as (
    select
    "record_l",
    "record_r",
    gamma_name,
    CASE
        WHEN gamma_name = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_name = 10 THEN
            cast(17.01 as float8)
        WHEN gamma_name = 9 THEN
            cast(13.02 as float8)
        WHEN gamma_name = 8 THEN
            cast(11.1 as float8)
        WHEN gamma_name = 7 THEN
            cast(11.09 as float8)
        WHEN gamma_name = 6 THEN
            cast(10.21 as float8)
        WHEN gamma_name = 5 THEN
            cast(10.2 as float8)
        WHEN gamma_name = 4 THEN
            cast(6.93 as float8)
        WHEN gamma_name = 3 THEN
            cast(5.38 as float8)
        WHEN gamma_name = 2 THEN
            cast(1.12 as float8)
        WHEN gamma_name = 1 THEN
            cast(-0.26 as float8)
        WHEN gamma_name = 0 THEN
            cast(-7.52 as float8)
    END as mw_name,
    gamma_type,
    CASE
        WHEN gamma_type = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_type = 1 THEN
            cast(1.7200000000000002 as float8)
        WHEN gamma_type = 0 THEN
            cast(-4.77 as float8)
    END as mw_type,
    gamma_code,
    CASE
        WHEN gamma_code = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_code = 1 THEN
            cast(17.76 as float8)
        WHEN gamma_code = 0 THEN
            cast(-16.64 as float8)
    END as mw_code,
    match_key
    from __splink__df_comparison_vectors
)
select
cast(-4.62 as float8) + mw_name + mw_type + mw_code as match_weight,
CASE
        WHEN (cast(-4.62 as float8) + mw_name + mw_type + mw_code) >= 0 THEN
            1.0 / (1.0 + POWER(cast(2 as float8), -(cast(-4.62 as float8) + mw_name + mw_type + mw_code)))
        ELSE
            POWER(cast(2 as float8), (cast(-4.62 as float8) + mw_name + mw_type + mw_code)) /
            (1.0 + POWER(cast(2 as float8), (cast(-4.62 as float8) + mw_name + mw_type + mw_code)))
    END as match_probability,
"record_l",
"record_r",
mw_name,
mw_type,
mw_code,
match_key
from __splink__df_match_weight_parts
