"""This file is the reading of SQL before it is run: one query that only reads, of granted tables, with reviewed functions.

Everything is an allow-list: syntax nodes, functions, table functions, types. The text is lexed here as well, strictly: where the
engines (or sqlglot and an engine) could disagree on where a text or a comment ends, the query is refused. The engine's own
read-only session stands behind this; neither is relied on alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

SQL_CHARACTERS = 100_000
DEPTH = 300

_DIALECTS = {"duckdb": "duckdb", "postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
_DIALECTS |= {"sqlite": "sqlite"}


class SqlRefused(Exception):
    """The SQL may not be run; the message says what in it, and what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _NotGranted(SqlRefused):
    """A table outside the grant."""


def checked(sql: str, dialect: str, tables: Iterable[str] | None) -> exp.Expression:
    """The query, parsed, if it is one query that only reads `tables` (None: every table but the catalogue). Raises SqlRefused.

    Answers are cached and shared: copy the expression before changing it.
    """
    known = _DIALECTS.get(dialect)
    if known is None:
        raise SqlRefused(f"no rules for SQL dialect {dialect!r}; there are: {', '.join(sorted(_DIALECTS))}")
    return _checked(sql, known, None if tables is None else frozenset(tables))


@lru_cache(maxsize=256)
def _checked(sql: str, dialect: str, tables: frozenset[str] | None) -> exp.Expression:
    query = _parsed(_without_comments(sql, dialect), dialect)
    _check_nodes(query, dialect)
    try:
        _check_tables(query, dialect, _grant(tables, dialect), frozenset())
    except _NotGranted as refused:
        granted = ", ".join(sorted(tables or ())[:20]) or "none"
        raise SqlRefused(f"{refused.message} is not one of those that may be read: {granted}") from None
    return query


def check_attributes(query: exp.Expression, dialect: str, columns_of: Callable[[str], frozenset[str]]) -> None:
    """Refuse `o.name` where o is a table without such a column. Raises SqlRefused; only PostgreSQL has something to check.

    There `o.name` calls any function `name` that takes a row of the table, also one that somebody's schema brings along and
    that reads what was not granted. `columns_of` gives the columns of a table of the grant, by the name it is written with.
    """
    if _DIALECTS.get(dialect) == "postgres":
        _check_attributes(query, {}, {}, frozenset(), columns_of)


# The text

_QUOTED = {
    "duckdb": r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""",
    "postgres": r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""",
    "mysql": r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`""",
    "sqlite": r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]""",
}
_LINE_COMMENT = dict.fromkeys(_QUOTED, r"--[^\n]*") | {"mysql": r"--[^\n]*|#[^\n]*"}
_LEXERS = {
    dialect: re.compile(
        rf"(?P<quoted>{quoted})|(?P<line>{_LINE_COMMENT[dialect]})"
        + r"|(?P<block>/\*.*?\*/)|(?P<rest>[^-'\"`#/\[]+|.)",
        re.DOTALL,
    )
    for dialect, quoted in _QUOTED.items()
}
_ODD_CHARACTERS = re.compile(r"[^\S \t\n\r]|[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060\ufeff]|\r(?!\n)")
_ESCAPED_QUOTE = re.compile(r"\\['\"`]")
_ESCAPE = re.compile(r"\bESCAPE\s*$", re.IGNORECASE)
_UNCLOSED = re.compile(r"['\"`\\]|/\*|\*/")
_STARTS = re.compile(r"[\s(]*(SELECT|WITH|FROM|VALUES|TABLE)\b", re.IGNORECASE)


def _without_comments(sql: str, dialect: str) -> str:
    """The SQL with its comments taken out, as they could end elsewhere for the parser than for an engine.

    Refuses what engines could read differently, and what is no query by its first word.
    """
    if len(sql) > SQL_CHARACTERS:
        raise SqlRefused(f"the SQL has {len(sql)} characters, more than {SQL_CHARACTERS}")
    if _ODD_CHARACTERS.search(sql):
        raise SqlRefused(
            "the SQL holds control characters or unusual spaces; use plain spaces, and parameters for values"
        )
    bare: list[str] = []
    kept: list[str] = []
    for match in _LEXERS[dialect].finditer(sql):
        kind, text = match.lastgroup, match.group()
        _check_token(kind or "", text, "".join(bare[-3:]), dialect)
        bare.append(text if kind == "rest" else " q " if kind == "quoted" else " ")
        kept.append(text if kind in ("rest", "quoted") else "\n")
    skeleton = "".join(bare)
    if _UNCLOSED.search(skeleton):
        raise SqlRefused("a text, name or comment is not closed, or a backslash stands outside a text")
    if re.search(r"\$\w*\$", skeleton):
        raise SqlRefused("dollar-quoted texts are not allowed; pass the value as a parameter")
    if re.search(r"\{[#%{]", skeleton):
        raise SqlRefused("template marks are not allowed; pass values as parameters")
    if ";" in skeleton.rstrip().removesuffix(";"):
        raise SqlRefused("only one statement is allowed")
    if not _STARTS.match(skeleton):
        first = skeleton.split(None, 1)[0][:20] if skeleton.split() else "nothing"
        raise SqlRefused(f"only a query that reads is allowed (SELECT, WITH, VALUES), not {first.upper()}")
    return "".join(kept)


def _check_token(kind: str, text: str, before: str, dialect: str) -> None:
    """A quoted text or name, or a comment, that every engine ends where this lexer does."""
    if kind == "line" and dialect == "mysql" and not re.match(r"#|--(\s|$)", text):
        raise SqlRefused("`--` must be followed by a space here to begin a comment")
    if kind == "block" and (re.match(r"/\*\s*[!+M]", text) or "/*" in text[2:]):
        raise SqlRefused("comments that are executed, hints, and nested comments are not allowed")
    if kind != "quoted":
        return
    if before.endswith("&"):
        raise SqlRefused("U& texts are not allowed; write the characters themselves")
    # LIKE ... ESCAPE '\' is common, and plain where a backslash in a text never means more than itself.
    plain_escape = text == r"'\'" and dialect in ("duckdb", "sqlite") and _ESCAPE.search(before)
    if _ESCAPED_QUOTE.search(text) and not plain_escape:
        raise SqlRefused("a backslash before a quote is ambiguous; pass the value as a parameter")


def _parsed(sql: str, dialect: str) -> exp.Expression:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = [statement for statement in sqlglot.parse(sql, read=dialect) if statement is not None]
    except SqlglotError as problem:
        raise SqlRefused(f"this is not SQL that can be understood ({dialect}): {_first_line(problem)}") from None
    except RecursionError:
        raise SqlRefused("the SQL is nested too deeply") from None
    if len(statements) != 1:
        raise SqlRefused(f"exactly one statement is allowed, not {len(statements)}")
    (query,) = statements
    if not isinstance(query, (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)):
        raise SqlRefused(f"only a query that reads is allowed, not {type(query).__name__.upper()}")
    return query  # type: ignore[return-value,unused-ignore]  # sqlglot's Expr and Expression differ between versions


def _first_line(problem: Exception) -> str:
    # sqlglot marks the place with terminal codes.
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(problem))
    return " ".join(text.split())[:200]


# The nodes

_NODES = frozenset(
    """
    Select Union Except Intersect Subquery Values With CTE From Join Where Group Having Qualify Order Ordered Limit Offset Fetch
    LimitOptions
    Distinct Window WindowSpec Table TableAlias Identifier Column Star Alias Aliases Literal Null Boolean Placeholder Paren Tuple
    Lateral TableSample Pivot UnpivotColumns PivotAlias PivotAny Filter WithinGroup IgnoreNulls RespectNulls Cube Rollup
    GroupingSets Escape AtTimeZone Var RawString ByteString National HexString BitString UnicodeString Interval IntervalSpan
    DataType DataTypeParam DataTypeSize ColumnDef Between In Lambda Kwarg Bracket Slice Dot All Any Not Neg Parameter PropertyEQ
    JSONPath JSONPathRoot JSONPathKey JSONPathSubscript JSONPathWildcard JSONPathSlice JSONPathRecursive JSONPathUnion
    JSONKeyValue JSONColumnDef JSONSchema FormatJson
    Add Sub Mul Div IntDiv Mod DPipe EQ NEQ NullSafeEQ NullSafeNEQ GT GTE LT LTE Is IsNot Like ILike NotLike SimilarTo Glob
    LikeAny LikeAll ILikeAny ILikeAll RegexpLike RegexpILike Connector BitwiseAnd BitwiseOr BitwiseXor BitwiseNot
    BitwiseLeftShift BitwiseRightShift Collate Overlaps Adjacent ExtendsLeft ExtendsRight Xor And Or Exists ArrayOverlaps
    ForIn Comprehension PositionalColumn HavingMax AggFunc
    """.split()
)

_SELECT_ARGS = frozenset(
    "with_ expressions distinct limit from_ laterals joins where group having qualify windows order offset sample".split()
)
_TABLE_ARGS = frozenset("this alias db catalog joins laterals pivots sample only ordinality".split())

# sqlglot's own names of functions. What it does not know is an Anonymous node, allowed by its spelling, per dialect, below.
_FUNCTIONS = frozenset(
    """
    Abs Acos Acosh AddMonths AnyValue ApproxDistinct ApproxQuantile ArgMax ArgMin Array ArrayAgg ArrayAll ArrayAny ArrayAppend
    ArrayCompact ArrayConcat ArrayContainedBy ArrayContains ArrayContainsAll ArrayDistinct ArrayExcept ArrayFilter ArrayFirst
    ArrayInsert ArrayIntersect ArrayLast ArrayMax ArrayMin ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayRemoveAt
    ArrayReverse ArraySize ArraySlice ArraySort ArraySum ArrayToString ArrayUniqueAgg ArraysZip Ascii Asin Asinh Atan Atan2 Atanh
    Avg BitLength BitwiseAndAgg BitwiseCount BitwiseOrAgg BitwiseXorAgg ByteLength Case Cast Cbrt Ceil Chr Coalesce Collate
    Columns Concat ConcatWs Contains Convert ConvertTimezone ConvertToCharset Corr Cos Cosh Cot Count CountIf CovarPop CovarSamp
    CumeDist CurrentDate CurrentDatetime CurrentTime CurrentTimestamp CurrentTimestampLTZ Date DateAdd DateBin DateDiff
    DateFromParts DateFromUnixDate DateStrToDate DateSub DateToDateStr DateToDi DateTrunc Datetime DatetimeAdd DatetimeDiff
    DatetimeSub DatetimeTrunc Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Dayname Decode DecodeCase Degrees DenseRank DiToDate
    Elt Encode EndsWith EqualNull Exists Exp Explode ExplodingGenerateSeries Extract Factorial First FirstValue Flatten Floor FromJson Host
    Format FromBase64 FromISO8601Timestamp GenerateDateArray GenerateSeries GenerateTimestampArray Greatest GroupConcat Grouping
    GroupingId Hex Hour If Initcap IsArray IsAscii IsInf IsNan IsNullValue JSONArray JSONArrayAgg JSONArrayContains
    JSONBContains JSONBContainsAllTopKeys JSONBContainsAnyTopKeys JSONBContainsTopKey JSONBExists JSONBExtract JSONBExtractScalar
    JSONBObjectAgg JSONBPathExists JSONExists JSONExtract JSONExtractArray JSONExtractScalar JSONFormat JSONKeys JSONObject
    JSONObjectAgg JSONTable JSONType JSONValueArray JarowinklerSimilarity JustifyDays JustifyHours JustifyInterval Kurtosis Lag
    Last LastDay LastValue Lead Least Left Length Levenshtein List Ln Localtime Localtimestamp Log LogicalAnd LogicalOr Lower
    LowerHex MD5 MakeInterval Map MapContainsKey MapFromEntries MapKeys MapSize MatchAgainst Max Median Min Minute Mode Month
    Monthname MonthsBetween Nullif NthValue Ntile NumberToStr Nvl2 Overlay Pad ParseDatetime ParseJSON ParseTime PercentRank
    PercentileCont PercentileDisc Pi Pow Quantile Quarter Radians Rand Rank Reduce RegexpCount RegexpExtract RegexpExtractAll
    RegexpFullMatch RegexpILike RegexpInstr RegexpLike RegexpReplace RegexpSplit RegexpSubstr RegrAvgx RegrAvgy RegrCount
    RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy Repeat Replace Reverse Right Round RowNumber SHA SHA1Digest SHA2
    SHA2Digest SafeDivide Second Sign Sin Sinh Skewness SortArray Soundex Space Split SplitPart Sqrt StartsWith Stddev StddevPop
    StddevSamp StrPosition StrToDate StrToTime StrToUnix String StringToArray Struct StructExtract Substring SubstringIndex Sum Tan
    Tanh Time TimeAdd TimeDiff TimeFromParts TimeStrToDate TimeStrToTime TimeStrToUnix TimeSub TimeToStr TimeToTimeStr TimeToUnix
    TimeTrunc Timestamp TimestampAdd TimestampDiff TimestampFromParts TimestampSub TimestampTrunc ToArray ToBase64 ToChar ToDays
    ToMap ToNumber Transform Translate Trim Trunc Try TryCast TsOrDiToDi TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToDateStr
    TsOrDsToDatetime TsOrDsToTime TsOrDsToTimestamp Typeof Unhex Unicode UnixDate UnixMicros UnixMillis UnixSeconds UnixToStr
    UnixToTime UnixToTimeStr Unnest Upper UtcDate UtcTime UtcTimestamp Uuid VarMap Variance VariancePop Week WeekOfYear
    WeekStart WeightString WidthBucket Xor Year YearOfWeek YearOfWeekIso And Or
    """.split()
)

_SPELLED: dict[str, frozenset[str]] = {
    dialect: frozenset(names.split())
    for dialect, names in {
        "duckdb": """
            now json_transform json_transform_strict base64 greatest_common_divisor least_common_multiple weighted_avg wavg
            list_cosine_similarity list_cosine_distance array_distance array_cosine_similarity array_cosine_distance array_cross_product
            age apply array_aggr array_extract array_has array_has_all array_has_any array_indexof array_length array_resize
            array_to_json array_value array_where bar bit_count cardinality century concat constant_or_null contains
            cosine_similarity damerau_levenshtein date_part datepart datesub date_sub dayofweek dayofyear decade element_at epoch
            epoch_ms epoch_ns epoch_us equi_width_bins era even favg filter fmod format from_hex fsum gamma gcd geometric_mean
            geomean greatest hamming hash histogram isfinite isinf isnan isodow isoyear jaccard jaro_similarity
            jaro_winkler_similarity json json_array json_array_length json_contains json_extract json_extract_path
            json_extract_path_text json_extract_string json_exists json_group_array json_group_object json_keys json_merge_patch
            json_object json_quote json_structure json_type json_valid json_value julian kahan_sum last_day lcm least left_grapheme
            length_grapheme lgamma list_aggregate list_aggr list_any_value list_append list_apply list_avg list_bit_and
            list_concat list_contains list_count list_distance list_distinct list_element list_extract list_filter list_first
            list_grade_up list_has list_has_all list_has_any list_histogram list_indexof list_inner_product list_intersect
            list_kurtosis list_last list_mad list_max list_median list_min list_mode list_pack list_position list_prepend
            list_product list_reduce list_resize list_reverse list_reverse_sort list_select list_slice list_sort list_stddev_pop
            list_stddev_samp list_string_agg list_sum list_transform list_unique list_value list_var_pop list_var_samp
            list_where list_zip mad make_date make_time make_timestamp make_timestamptz map map_concat map_entries
            map_extract map_values md5_number microsecond millennium millisecond mismatches nanosecond nextafter nfc_normalize ord
            parse_dirname parse_dirpath parse_filename parse_path prefix printf product quantile_cont quantile_disc
            regexp_escape regexp_split_to_array regexp_split_to_table reservoir_quantile right_grapheme row row_to_json sem
            setbit signbit sha256 split strftime string_split string_split_regex strip_accents strlen strptime struct_insert
            struct_pack substring_grapheme suffix sumkahan timetz_byte_comparable timezone timezone_hour timezone_minute to_base
            to_binary to_centuries to_days to_decades to_hex to_hours to_json to_microseconds to_millennia to_milliseconds
            to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years today trunc try_strptime
            trim upper lower length strip replace substring ltrim rtrim reverse round abs floor ceil
            unicode union_extract union_tag union_value unpivot_list url_decode url_encode weekday yearweek entropy
            approx_top_k arbitrary arg_max_null arg_min_null array_inner_product fdiv mode range generate_series
        """,
        "postgres": """
            all int4range int8range numrange daterange tsrange tstzrange isodow
            age array_length array_lower array_ndims array_positions array_replace array_upper bit_count btrim cardinality
            clock_timestamp date_part div erf erfc every gcd isempty isfinite json_agg json_array_elements
            json_array_elements_text json_array_length json_build_array json_build_object json_each json_each_text
            json_extract_path json_extract_path_text json_object_agg json_object_keys json_strip_nulls json_typeof jsonb_agg
            jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
            jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_path_exists
            jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_strip_nulls
            jsonb_typeof lcm lower_inc lower_inf make_date make_time make_timestamp make_timestamptz min_scale now num_nonnulls
            num_nulls octet_length quote_ident quote_literal quote_nullable random_normal range_agg range_merge regexp_count
            regexp_match regexp_matches regexp_split_to_array regexp_split_to_table row row_to_json scale sha224 sha256 sha384
            sha512 similarity statement_timestamp string_to_table strpos to_ascii to_hex to_json to_jsonb to_timestamp
            to_tsquery to_tsvector plainto_tsquery phraseto_tsquery websearch_to_tsquery transaction_timestamp trim_array
            trim_scale ts_rank ts_rank_cd ts_headline unaccent unistr upper_inc upper_inf word_similarity
        """,
        "mysql": """
            now json_arrayagg json_objectagg conv adddate subdate curtime current_time
            addtime bin bit_count crc32 date_format dayname export_set field find_in_set from_days from_unixtime
            get_format insert instr interval json_array_append json_contains json_contains_path json_depth json_length
            json_merge_patch json_overlaps json_pretty json_quote json_search json_unquote json_valid json_value lcase
            lpad ltrim make_set makedate maketime microsecond mid mod oct octet_length ord period_add period_diff position quote
            regexp_instr rpad rtrim sec_to_time strcmp str_to_date subtime sysdate time_format time_to_sec timediff to_days
            to_seconds truncate ucase unix_timestamp utc_date utc_time utc_timestamp week weekday weekofyear yearweek bit_and bit_or
            bit_xor std any_value inet_aton inet_ntoa row
        """,
        "sqlite": """
            char date datetime format glob group_concat hex ifnull iif instr json json_array json_array_length
            json_each json_error_position json_extract json_group_array json_group_object json_insert json_object json_patch
            json_quote json_remove json_replace json_set json_tree json_type json_valid julianday like likelihood likely ltrim
            max median min nullif octet_length percentile printf quote rtrim sign strftime string_agg substr substring time
            timediff total trim typeof unhex unicode unixepoch unlikely
        """,
    }.items()
}

# What may stand where a table stands.
_TABLE_FUNCTIONS = frozenset({"GenerateSeries", "ExplodingGenerateSeries", "Unnest", "Explode", "JSONTable", "Flatten"})
_SPELLED_TABLE_FUNCTIONS: dict[str, frozenset[str]] = {
    "duckdb": frozenset({"range", "generate_series", "unnest", "regexp_split_to_table", "json_each", "json_tree"}),
    "postgres": frozenset(
        """json_array_elements json_array_elements_text json_each json_each_text json_object_keys jsonb_array_elements
        jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_object_keys jsonb_path_query regexp_matches
        regexp_split_to_table string_to_table""".split()
    ),
    "mysql": frozenset(),
    "sqlite": frozenset({"json_each", "json_tree"}),
}

_REFUSED_TYPES = frozenset({"USERDEFINED", "XML", "OBJECT_IDENTIFIER", "NAME", "UNKNOWN"})


def _check_nodes(query: exp.Expression, dialect: str) -> None:
    from sqlglot import exp

    for node, depth in _walk(query):
        name = type(node).__name__
        if depth > DEPTH:
            raise SqlRefused("the SQL is nested too deeply")
        if isinstance(node, exp.Anonymous):
            _check_spelled(node, dialect)
        elif isinstance(node, (exp.AnonymousAggFunc, exp.CombinedAggFunc, exp.ParameterizedAgg)):
            raise SqlRefused(f"the function {node.name.lower()!r} is not allowed")
        elif isinstance(node, exp.Func):
            if name not in _FUNCTIONS:
                raise SqlRefused(
                    f"the function {node.sql_name().lower()} is not allowed; use plain functions of values"
                )
        elif name not in _NODES:
            raise SqlRefused(f"{_words(name)} is not allowed in a query here")
        _check_args(node, dialect)


def _check_spelled(node: exp.Anonymous, dialect: str) -> None:
    name = node.name.lower()
    if name not in _SPELLED[dialect] and name not in _SPELLED_TABLE_FUNCTIONS[dialect]:
        raise SqlRefused(f"the function {name!r} is not allowed; use plain functions of values")


def _check_args(node: Any, dialect: str) -> None:
    from sqlglot import exp

    if isinstance(node, exp.Select):
        _only(node, _SELECT_ARGS, "SELECT")
    elif isinstance(node, exp.Table):
        _only(node, _TABLE_ARGS, "FROM")
    elif isinstance(node, (exp.SetOperation, exp.Subquery)) and any(
        node.args.get(k) for k in ("locks", "into", "hint")
    ):
        raise SqlRefused("locks and INTO are not allowed")
    elif isinstance(node, exp.In) and node.args.get("field") is not None:
        raise SqlRefused("IN needs a list in parentheses or a subquery")
    elif isinstance(node, exp.DataType):
        kind = getattr(node.this, "name", str(node.this))
        if kind in _REFUSED_TYPES:
            raise SqlRefused(f"the type {node.sql(dialect=dialect).lower()} is not allowed in a cast")
    elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func) and dialect != "duckdb":
        raise SqlRefused("functions are called without a schema here")
    elif isinstance(node, exp.Dot) and dialect == "postgres":
        raise SqlRefused("(row).name is not allowed: it can be a call of a function; write the column's own name")
    elif isinstance(node, exp.Column):
        _check_bare_name(node, dialect)
    elif isinstance(node, exp.Format) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in ("printf", "format")
    ):
        _check_template(node)
    elif isinstance(node, (exp.Pad, exp.Repeat, exp.Space)) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in ("lpad", "rpad")
    ):
        _check_length(node)
    elif (
        isinstance(node, exp.Parameter) and not (dialect == "postgres" and node.name.isdigit()) and dialect != "duckdb"
    ):
        raise SqlRefused("variables are not allowed; pass parameters")
    elif isinstance(node, exp.Lateral):
        _check_table_function(node.this, dialect)


# What these engines read as a call although it is written like a column, and the columns that every PostgreSQL table has.
_SESSION_NAMES = frozenset(
    "user current_user session_user system_user current_role current_catalog current_schema current_database".split()
)
_BARE_NAMES = {
    "postgres": _SESSION_NAMES | frozenset("ctid xmin xmax cmin cmax tableoid".split()),
    "duckdb": _SESSION_NAMES,
    "mysql": frozenset({"current_user", "current_role"}),
    "sqlite": frozenset[str](),
}


def _check_bare_name(column: exp.Column, dialect: str) -> None:
    identifier = column.this
    name = column.name.lower()
    if name not in _BARE_NAMES[dialect] or getattr(identifier, "quoted", False):
        return
    if name not in _SESSION_NAMES or not column.table:
        raise SqlRefused(
            f"{name} tells about the server, not about the data; a column of that name is written in quotes"
        )


LENGTH = 100_000
_LONG_FIELD = re.compile(r"\d{5}|\*")


def _check_template(node: Any) -> None:
    """A template is written out, with fields of at most four digits, for the same reason."""
    from sqlglot import exp

    template = node.this if isinstance(node, exp.Format) else node.expressions[0] if node.expressions else None
    if not (isinstance(template, exp.Literal) and template.is_string) or _LONG_FIELD.search(template.name):
        raise SqlRefused("the template of a formatted text is written out, without fields wider than 9999")


def _check_length(node: Any) -> None:
    """A text made longer gets its length as a number, or below one, for an engine cannot be stopped within one long text."""
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        length = node.expressions[1] if len(node.expressions) > 1 else None
    else:
        length = node.this if isinstance(node, exp.Space) else node.args.get("times") or node.expression
    parts = [length.this, *length.expressions] if isinstance(length, exp.Least) else [length]
    if not any(isinstance(part, exp.Literal) and part.is_int and int(part.name) <= LENGTH for part in parts):
        raise SqlRefused(f"the length of a padded or repeated text is a number up to {LENGTH}, or least(…, {LENGTH})")


def _only(node: Any, allowed: frozenset[str], where: str) -> None:
    for key, value in node.args.items():
        if value and key not in allowed:
            raise SqlRefused(f"{_words(key).upper().strip('_')} is not allowed in {where}")


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).strip().lower()


def _walk(query: exp.Expression) -> Iterator[tuple[Any, int]]:
    from sqlglot import exp

    stack: list[tuple[Any, int]] = [(query, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        for value in node.args.values():
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, exp.Expr):
                    stack.append((child, depth + 1))


# The tables

_CATALOGUES = frozenset(
    "pg_catalog information_schema pg_toast mysql performance_schema sys system temp pg_temp crdb_internal".split()
)
_CATALOGUE_NAMES = re.compile(r"(pg_|sqlite_|duckdb_|pragma_|dbstat|sqlite\b|summary$|innodb_)", re.IGNORECASE)
_FILE_LIKE = re.compile(r"[/\\:*?<>|\s]|\.\w+$|^\.")
_STATEMENTS_AS_TABLES = frozenset({"show", "describe", "summarize", "desc"})
_OWN_SCHEMAS = {"postgres": "public", "duckdb": "main", "sqlite": "main", "mysql": ""}


def _folded(name: str, quoted: bool, dialect: str) -> str:
    """The name as the dialect compares it: only ASCII letters fold; MySQL's tables do not fold."""
    if dialect == "mysql" or (dialect == "postgres" and quoted):
        return name
    return re.sub("[A-Z]", lambda letter: letter.group().lower(), name)


def _grant(tables: frozenset[str] | None, dialect: str) -> frozenset[tuple[str, ...]] | None:
    """Granted names as tuples of parts. A grant is spelled as the database spells it, so it counts as quoted."""
    if tables is None:
        return None
    names: set[tuple[str, ...]] = set()
    for table in tables:
        names.add((_folded(table, True, dialect),))
        if "." in table:
            names.add(tuple(_folded(part.strip('"`'), True, dialect) for part in table.split(".")))
    return frozenset(names)


def _check_tables(node: Any, dialect: str, grant: frozenset[tuple[str, ...]] | None, visible: frozenset[str]) -> None:
    """Check each table below the node, where the names in `visible` are those of common table expressions in scope."""
    from sqlglot import exp

    if isinstance(node, exp.Table):
        _check_table(node, dialect, grant, visible)
    elif isinstance(node, exp.Query | exp.Values) and node.args.get("with_"):
        common = node.args["with_"]
        for table in common.expressions:
            alias = table.args["alias"].this
            own = _folded(alias.name, bool(alias.quoted), dialect)
            # Without RECURSIVE the name within its own body is the real table.
            inside = visible | {own} if common.args.get("recursive") else visible
            _check_tables(table.this, dialect, grant, inside)
            visible = visible | {own}
    for key, value in node.args.items():
        if key == "with_":
            continue
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, exp.Expr):
                _check_tables(child, dialect, grant, visible)


def _check_table(
    table: exp.Table, dialect: str, grant: frozenset[tuple[str, ...]] | None, visible: frozenset[str]
) -> None:
    from sqlglot import exp

    if not isinstance(table.this, exp.Identifier):
        _check_table_function(table.this, dialect)
        return
    parts = [part for part in (table.args.get("catalog"), table.args.get("db"), table.this) if part]
    if not all(isinstance(part, exp.Identifier) for part in parts):
        raise SqlRefused("the name of a table must be a plain name")
    names = tuple(_folded(part.name, bool(part.quoted), dialect) for part in parts)
    if len(names) == 1 and names[0] in visible:
        return
    own = _OWN_SCHEMAS[dialect]
    bare = names[1:] if len(names) == 2 and own and names[0] == own else names
    if grant is not None and (names in grant or bare in grant):
        return
    written = ".".join(part.name for part in parts)
    lowered = [name.lower() for name in names]
    if any(name in _CATALOGUES for name in lowered[:-1]) or _CATALOGUE_NAMES.match(lowered[-1]):
        raise SqlRefused(f"the catalogue {written!r} may not be read; ask source.tables() and source.columns(table)")
    if dialect == "duckdb" and lowered[-1] in _STATEMENTS_AS_TABLES and not table.this.quoted:
        raise SqlRefused(
            f"{written.upper()} is not allowed in a query here; ask source.tables() and source.columns(table)"
        )
    if any(_FILE_LIKE.search(part.name) for part in parts) and (grant is not None or dialect == "duckdb"):
        raise SqlRefused(f"{written!r} looks like a file or an address; read a table by its name")
    if grant is not None:
        raise _NotGranted(f"the table {written!r}")


def _check_table_function(node: Any, dialect: str) -> None:
    """In the place of a table: a subquery, or a function that makes rows from values alone."""
    from sqlglot import exp

    if isinstance(node, (exp.Subquery, exp.Values, exp.Select, exp.SetOperation, exp.Table)):
        return
    if isinstance(node, exp.Anonymous):
        if node.name.lower() in _SPELLED_TABLE_FUNCTIONS[dialect]:
            return
        raise SqlRefused(f"the table function {node.name.lower()!r} is not allowed")
    if type(node).__name__ not in _TABLE_FUNCTIONS:
        raise SqlRefused(f"{_words(type(node).__name__)} is not allowed in the place of a table")


# The columns

_Places = dict[str, frozenset[tuple[str, frozenset[str]]]]
"""For each name that a column can be qualified with: the granted tables it can stand for, each with the names that the query
itself gives to columns of it; none where it is something else."""


def _check_attributes(
    node: Any, outer: _Places, places: _Places, visible: frozenset[str], columns_of: Callable[[str], frozenset[str]]
) -> None:
    from sqlglot import exp

    if isinstance(node, exp.Query | exp.Values) and node.args.get("with_"):
        for table in node.args["with_"].expressions:
            _check_attributes(table.this, outer, places, visible, columns_of)
            visible = visible | {_written(table.args["alias"].this)}
    if isinstance(node, exp.Select):
        outer, places = places, places | _places_of(node, visible)
    elif isinstance(node, exp.Column) and node.table and isinstance(node.this, exp.Identifier):
        name = _written(node.this)
        for table, renamed in sorted(places.get(_written(node.args["table"]), ())):
            if name not in renamed and name not in columns_of(table):
                raise SqlRefused(f"the table {table!r} has no column {name!r}; ask source.columns({table!r})")
    # A query in FROM sees its neighbours only where it is LATERAL, and what they hide where it is not.
    both = {name: tables | outer.get(name, frozenset()) for name, tables in places.items()}
    for key, value in node.args.items():
        for child in value if isinstance(value, list) else (value,):
            if not isinstance(child, exp.Expr) or key == "with_":
                continue
            beside = isinstance(node, (exp.From, exp.Join)) and isinstance(child, (exp.Subquery, exp.Lateral))
            _check_attributes(child, outer, both if beside else places, visible, columns_of)


def _written(identifier: Any) -> str:
    return _folded(identifier.name, bool(getattr(identifier, "quoted", False)), "postgres")


def _renamed(alias: Any) -> frozenset[str]:
    return frozenset(_written(name) for name in (alias.columns if alias else ()))


def _places_of(select: exp.Select, visible: frozenset[str]) -> _Places:
    """What each name in a query's own FROM stands for, however the tables are joined."""
    from sqlglot import exp

    found: _Places = {}
    parts = (exp.From, exp.Join, exp.Table, exp.Subquery, exp.Paren, exp.Lateral)
    stack: list[Any] = [
        select.args.get("from_"),
        *(select.args.get("joins") or ()),
        *(select.args.get("laterals") or ()),
    ]
    while stack:
        node = stack.pop()
        if not isinstance(node, parts):
            continue
        alias = _written(node.args["alias"].this) if node.args.get("alias") and node.alias else ""
        tables = frozenset[tuple[str, frozenset[str]]]()
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            names = [_written(part) for part in (node.args.get("db"), node.this) if part]
            if not (len(names) == 1 and names[0] in visible):
                table = ".".join(names[1:] if len(names) > 1 and names[0] == _OWN_SCHEMAS["postgres"] else names)
                tables = frozenset({(table, _renamed(node.args.get("alias")))})
            alias = alias or names[-1]
        if alias:
            found[alias] = found.get(alias, frozenset()) | tables
        for key, value in node.args.items():
            if key not in ("on", "using", "alias"):
                stack += value if isinstance(value, list) else [value]
    return found
