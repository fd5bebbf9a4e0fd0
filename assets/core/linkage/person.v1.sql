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
    "l"."vowels" AS "vowels_l",
    "r"."vowels" AS "vowels_r",
    "l"."syllables" AS "syllables_l",
    "r"."syllables" AS "syllables_r",
    "l"."tokens" AS "tokens_l",
    "r"."tokens" AS "tokens_r",
    "l"."words" AS "words_l",
    "r"."words" AS "words_r",
    "l"."left_out" AS "left_out_l",
    "r"."left_out" AS "left_out_r",
    "l"."born" AS "born_l",
    "r"."born" AS "born_r",
    "l"."swapped" AS "swapped_l",
    "r"."swapped" AS "swapped_r",
    "l"."sex" AS "sex_l",
    "r"."sex" AS "sex_r",
    "l"."id" AS "id_l",
    "r"."id" AS "id_r",
    "l"."whole" AS "whole_l",
    "r"."whole" AS "whole_r",
    "l"."card" AS "card_l",
    "r"."card" AS "card_r",
    "l"."commune" AS "commune_l",
    "r"."commune" AS "commune_r",
    "l"."agency" AS "agency_l",
    "r"."agency" AS "agency_r",
    "l"."office" AS "office_l",
    "r"."office" AS "office_r",
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
        WHEN name_l = name_r THEN 9
        WHEN vowels_l = vowels_r THEN 8
        WHEN fold_l = fold_r and one_differs(syllables_l, syllables_r) THEN 7
        WHEN fold_l = fold_r THEN 6
        WHEN tokens_l = tokens_r THEN 5
        WHEN list_contains(left_out_l, fold_r) or list_contains(left_out_r, fold_l) or initials(words_l, words_r) THEN 4
        WHEN damerau_levenshtein(fold_l, fold_r) = 1 THEN 3
        WHEN words_l[1] = words_r[1] and words_l[-1] = words_r[-1] and one_differs(words_l, words_r) THEN 2
        WHEN len(words_l) > 2 and one_differs(words_l, words_r) THEN 1
        ELSE 0
    END as gamma_name,
    CASE
        WHEN born_l is null or born_r is null THEN -1
        WHEN born_l = born_r THEN 4
        WHEN born_l = swapped_r or swapped_l = born_r THEN 3
        WHEN hamming(born_l, born_r) = 1 THEN 2
        WHEN left(born_l, 4) = left(born_r, 4) THEN 1
        ELSE 0
    END as gamma_birth,
    CASE
        WHEN sex_l is null or sex_r is null THEN -1
        WHEN sex_l = sex_r THEN 1
        ELSE 0
    END as gamma_sex,
    CASE
        WHEN id_l is null or id_r is null THEN -1
        WHEN id_l = id_r THEN 3
        WHEN levenshtein(id_l, id_r) = 1 or whole_l = whole_r THEN 2
        WHEN damerau_levenshtein(id_l, id_r) = 1 THEN 1
        ELSE 0
    END as gamma_id,
    CASE
        WHEN card_l is null or card_r is null THEN -1
        WHEN card_l = card_r THEN 2
        WHEN levenshtein(card_l, card_r) = 1 THEN 1
        ELSE 0
    END as gamma_card,
    CASE
        WHEN commune_l is null or commune_r is null THEN -1
        WHEN commune_l = commune_r THEN 1
        ELSE 0
    END as gamma_commune,
    CASE
        WHEN agency_l is null or agency_r is null THEN -1
        WHEN agency_l = agency_r THEN 2
        WHEN mostly_one(office_l, office_r) THEN 1
        ELSE 0
    END as gamma_agency,
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
        WHEN gamma_name = 9 THEN
            cast(12.46 as float8)
        WHEN gamma_name = 8 THEN
            cast(12.45 as float8)
        WHEN gamma_name = 7 THEN
            cast(10.79 as float8)
        WHEN gamma_name = 6 THEN
            cast(10.78 as float8)
        WHEN gamma_name = 5 THEN
            cast(10.77 as float8)
        WHEN gamma_name = 4 THEN
            cast(5.53 as float8)
        WHEN gamma_name = 3 THEN
            cast(5.52 as float8)
        WHEN gamma_name = 2 THEN
            cast(2.92 as float8)
        WHEN gamma_name = 1 THEN
            cast(0.3999999999999999 as float8)
        WHEN gamma_name = 0 THEN
            cast(-8.24 as float8)
    END as mw_name,
    gamma_birth,
    CASE
        WHEN gamma_birth = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_birth = 4 THEN
            cast(13.69 as float8)
        WHEN gamma_birth = 3 THEN
            cast(7.73 as float8)
        WHEN gamma_birth = 2 THEN
            cast(4.3 as float8)
        WHEN gamma_birth = 1 THEN
            cast(-0.7600000000000001 as float8)
        WHEN gamma_birth = 0 THEN
            cast(-10.37 as float8)
    END as mw_birth,
    gamma_sex,
    CASE
        WHEN gamma_sex = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_sex = 1 THEN
            cast(0.97 as float8)
        WHEN gamma_sex = 0 THEN
            cast(-4.6 as float8)
    END as mw_sex,
    gamma_id,
    CASE
        WHEN gamma_id = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_id = 3 THEN
            cast(21.29 as float8)
        WHEN gamma_id = 2 THEN
            cast(21.28 as float8)
        WHEN gamma_id = 1 THEN
            cast(19.02 as float8)
        WHEN gamma_id = 0 THEN
            cast(-7.61 as float8)
    END as mw_id,
    gamma_card,
    CASE
        WHEN gamma_card = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_card = 2 THEN
            cast(22.93 as float8)
        WHEN gamma_card = 1 THEN
            cast(3.87 as float8)
        WHEN gamma_card = 0 THEN
            cast(-12.43 as float8)
    END as mw_card,
    gamma_commune,
    CASE
        WHEN gamma_commune = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_commune = 1 THEN
            cast(5.72 as float8)
        WHEN gamma_commune = 0 THEN
            cast(-2.39 as float8)
    END as mw_commune,
    gamma_agency,
    CASE
        WHEN gamma_agency = -1 THEN
            cast(0.0 as float8)
        WHEN gamma_agency = 2 THEN
            cast(6.58 as float8)
        WHEN gamma_agency = 1 THEN
            cast(-1.44 as float8)
        WHEN gamma_agency = 0 THEN
            cast(-1.77 as float8)
    END as mw_agency,
    match_key
    from __splink__df_comparison_vectors
)
select
cast(-15.29 as float8) + mw_name + mw_birth + mw_sex + mw_id + mw_card + mw_commune + mw_agency as match_weight,
CASE
        WHEN (cast(-15.29 as float8) + mw_name + mw_birth + mw_sex + mw_id + mw_card + mw_commune + mw_agency) >= 0 THEN
            1.0 / (1.0 + POWER(cast(2 as float8), -(cast(-15.29 as float8) + mw_name + mw_birth + mw_sex + mw_id + mw_card + mw_commune + mw_agency)))
        ELSE
            POWER(cast(2 as float8), (cast(-15.29 as float8) + mw_name + mw_birth + mw_sex + mw_id + mw_card + mw_commune + mw_agency)) /
            (1.0 + POWER(cast(2 as float8), (cast(-15.29 as float8) + mw_name + mw_birth + mw_sex + mw_id + mw_card + mw_commune + mw_agency)))
    END as match_probability,
"record_l",
"record_r",
mw_name,
mw_birth,
mw_sex,
mw_id,
mw_card,
mw_commune,
mw_agency,
match_key
from __splink__df_match_weight_parts
