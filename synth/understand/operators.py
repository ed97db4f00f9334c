"""The fixed phrases of a request: comparisons, aggregates, and the words that open a group, an order or a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synth.plan import AggregateName, Comparison, Unit
from synth.understand.words import Token


def phrases(table: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """`{"meaning": "one phrase|another"}` turned into phrase → meaning."""
    return {tuple(p.split()): meaning for meaning, line in table.items() for p in line.split("|")}


COMPARISONS = phrases(
    {
        ">": "over|above|more than|greater than|bigger than|larger than|higher than|exceeding|exceeds|exceed|"
        "exceeded|in excess of|beyond|>|"
        "more expensive than|better than|upwards of|north of|strictly more than|bigger|worth more than|"
        "costing more than|costs more than|later than",
        ">=": "at least|no less than|not less than|no fewer than|not fewer than|minimum of|a minimum of|>=|=>|≥|"
        "greater than or equal to|not below|not under|"
        "more than or equal to|equal to or greater than|above or equal to|over or equal to|starting at|"
        "minimum|at minimum",
        "<": "under|below|less than|fewer than|lower than|smaller than|<|short of|cheaper than|"
        "less expensive than|worse than|smaller|earlier than",
        "<=": "at most|no more than|not more than|up to|maximum of|a maximum of|<=|≤|not over|not above|"
        "not exceeding|less than or equal to|no higher than|"
        "fewer than or equal to|below or equal to|under or equal to|not greater than|not higher than|"
        "no greater than|maximum|at maximum",
        "=": "=|==|equal to|equals|equal|equalling|exactly|precisely|matching|is exactly",
        "!=": "!=|<>|≠|not equal to|different from|different to|differs from|other than|does not equal|"
        "anything but|not equal",
    }
)
AFTER_NUMBER = phrases(
    {
        ">=": "or more|or higher|or above|or greater|or over|or better|or later|or longer|or older|and up|"
        "and above|and over|and more|upwards|plus|+|or newer|or larger|or bigger",
        "<=": "or less|or fewer|or lower|or below|or under|or earlier|or shorter|or younger|and below|and under|"
        "or cheaper|or smaller|tops|max|at most",
    }
)
TIME_WORDS = phrases(
    {
        ">=": "since|from|starting|beginning|starting from|from the|as of|starting in|starting on|since the|"
        "since the start of|since the beginning of|since early|not before|on or after|no earlier than",
        ">": "after|following|later than|past|newer than|more recent than|from after|after the end of",
        "<": "before|prior to|earlier than|up until|older than|ahead of|not after the start of|until before|"
        "before the start of",
        "<=": "until|till|through|up to|by the end of|up to and including|not after|on or before|no later than|"
        "until the end of|to",
        "=": "in|on|during|within|over|for|in the|during the|over the|for the|throughout|of|at|within the|"
        "from within|across|in the month of|in the year|on the|dated|around the time of|of the|the|as at",
    }
)
AGGREGATES = phrases(
    {
        "sum": "total|sum|sum of|total of|sum up|add up|the sum of|combined|summed|aggregate|grand total of|"
        "overall total|totals|sum total of|total sum of|overall",
        "avg": "average|mean|avg|average of|mean of|the average of|averages|averaged",
        "median": "median|median of",
        "min": "minimum|min|minimum of|smallest value of|lowest value of|minima",
        "max": "maximum|max|maximum of|largest value of|highest value of|peak|maxima",
        "stddev": "standard deviation|standard deviation of|stddev|stddev of|std dev of|std of|std",
    }
)
AGGREGATE_OF: dict[str, AggregateName] = {
    "sum": "sum",
    "avg": "avg",
    "median": "median",
    "min": "min",
    "max": "max",
    "stddev": "stddev",
    "count": "count",
}
COUNTS = phrases(
    {
        "distinct": "how many different|how many distinct|how many unique|number of different|number of distinct|"
        "number of unique|count of distinct|"
        "count distinct|count of unique|count unique|distinct count of|unique count of|count of different|"
        "count the distinct|count the different|count the unique|"
        "how many separate|number of individual|how many individual|the number of different",
        "rows": "how many|number of|count of|count|counts of|count all|count the|count how many|numbers of|"
        "amount of times|tally|tally of|how often|no of|total number of|"
        "total count of|overall number of|the total number of|count up|number|how many times|"
        "number of times|quantity of",
    }
)
SHARES = phrases(
    {
        "share": "percentage of|percent of|percentage share of|share of|proportion of|fraction of|% of|"
        "what percentage of|what percent of|what share of|what proportion of|"
        "what fraction of|what part of|percentage|the percentage of|what % of|share|ratio of|"
        "what percentage|how many percent of|how many percent|how much percent of|how big a share of|how large a share of|percentages of"
    }
)
GROUPS = phrases(
    {
        "group": "per|by|for each|for every|each|in each|in every|grouped by|group by|broken down by|break down by|"
        "split by|breakdown by|by each|for all the different|"
        "across|across each|of each|of every|on each|every|at each|within each|per each|"
        "separately for each|depending on|from each|aggregated by|along with its|"
        "for each of the|segmented by|divided by each|bucketed by|to each|separated by|and group by|"
        "and group them by|group them by|within every"
    }
)
ORDERS = phrases(
    {
        "order": "sorted by|sort by|ordered by|order by|sorted on|ranked by|rank by|sort them by|order them by|"
        "sorted according to|arranged by|arrange by|in order of|"
        "in descending order of|in ascending order of|ordered on|sort it by|rank them by|"
        "sorted alphabetically by|listed by|sort on|sorting by|ordering by|and sort by|"
        "sort the results by|sort the result by|order the results by|sort the list by|ranked according to|"
        "prioritised by|in the order of|sort|order results by|sort results by|sorted|ordered|ranked|"
        "ordered from"
    }
)
DIRECTIONS = phrases(
    {
        "desc": "highest first|largest first|biggest first|descending|desc|in descending order|"
        "from highest to lowest|high to low|most first|highest to lowest|"
        "in decreasing order|decreasing|from high to low|from most to least|from largest to smallest|"
        "largest to smallest|from biggest to smallest|biggest to smallest|"
        "with the highest first|with the largest first|with the biggest first|with highest first|"
        "top first|best first|from the highest to the lowest|most expensive first|"
        "most to least|starting with the highest|starting with the largest|starting with the biggest|"
        "starting from the highest|in reverse order|reversed|reverse|"
        "highest at the top|largest at the top|biggest at the top|highest on top|z to a|z-a|"
        "heaviest first|longest first|from most expensive to cheapest|hottest first|"
        "priciest first|greatest first|slowest first|descendingly|the highest first|the biggest first|"
        "the largest first|warmest first|deepest first|strongest first|busiest first",
        "asc": "lowest first|smallest first|ascending|asc|in ascending order|from lowest to highest|low to high|"
        "lowest to highest|least first|in increasing order|"
        "increasing|from low to high|from smallest to largest|smallest to largest|cheapest first|"
        "from least to most|least to most|with the lowest first|with the smallest first|"
        "with lowest first|from cheapest to most expensive|from the lowest to the highest|"
        "starting with the lowest|starting with the smallest|fewest first|shortest first|"
        "alphabetically|in alphabetical order|alphabetical|a to z|alphabetical order|by alphabet|"
        "coldest first|lightest first|fastest first|the lowest first|the smallest first",
        "newest": "newest first|latest first|most recent first|from newest to oldest|newest to oldest|"
        "reverse chronological|in reverse chronological order|youngest first|"
        "with the newest first|with the latest first|latest on top|newest on top|recent first|"
        "starting with the newest|starting with the latest|starting with the most recent|"
        "from latest to earliest|with the most recent first",
        "oldest": "oldest first|earliest first|chronologically|in chronological order|chronological|"
        "from oldest to newest|oldest to newest|with the oldest first|"
        "by date ascending|starting with the oldest|starting with the earliest|from earliest to latest|"
        "with the earliest first|in time order",
    }
)
UNIT_PHRASES: dict[Unit, str] = {
    "minute": "minute",
    "hour": "hour|hourly",
    "day": "day|daily|calendar day",
    "week": "week|weekly|calendar week",
    "month": "month|monthly|calendar month",
    "quarter": "quarter|quarterly",
    "year": "year|yearly|annually|annual|annum|calendar year",
    "weekday": "weekday|day of the week|day of week|dow|days of the week",
    "month_of_year": "month of the year|month of year|calendar month of the year",
    "hour_of_day": "hour of the day|hour of day|time of day|time of the day|hours of the day",
}
UNITS: dict[tuple[str, ...], Unit] = {
    tuple(p.split()): unit for unit, line in UNIT_PHRASES.items() for p in line.split("|")
}
EMPTY = phrases(
    {
        "empty": "missing|empty|blank|null|unknown|not set|unset|not filled|not filled in|not available|not given|"
        "not known|not present|absent|undefined|n a|not recorded|"
        "not specified|not provided|unspecified|not there|none|nothing",
        "filled": "not missing|not empty|not blank|not null|set|filled|filled in|given|present|available|known|"
        "provided|specified|non empty|not unknown|recorded|non null|not none",
    }
)
LACKING = phrases(
    {
        "lack": "without|without any|without a|without an|with no|lacking|lacking a|lacking an|missing|missing a|"
        "missing an|missing the|missing their|have no|has no|having no|had no|"
        "do not have|does not have|do not have any|does not have any|have not any|do not have a|"
        "do not have an|does not have a|does not have an|that lack|lack|lacks|lack a|lack an|lacks a|"
        "lacks an|"
        "empty|blank|null|unknown|unspecified|with missing|with empty|with blank|with a missing|with an empty|with unknown|"
        "not having|not having a|not having any|no|with null|with a blank|did not have any|did not have|"
        "without their|"
        "who have no|who have not|that have no|that have not any|where there is no|there is no|for which there is no|"
        "never had|never had any|have never had|with zero|have zero|has zero|with a null|with an unknown"
    }
)
FILLED = phrases(
    {
        "filled": "with an|with a|having a|having an|that have a|that have an|who have a|who have an|has a|has an|"
        "have a|have an|with any|with some|with a valid|with a known|with a given|with non empty|"
        "with nonempty|with non null|that has a|that has an|where there is a|where there is an|"
        "with at least one|with at least a|with a non empty|who have any|that have any"
    }
)
TEXTS = phrases(
    {
        "contains": "contains|containing|contain|contains the word|containing the word|containing the text|"
        "contains the text|includes the word|including the word|mentions|mentioning|mention|like|"
        "with the word|that mention|that mentions|include the word|contain the word|has the word|"
        "having the word|which contain|matching the text|"
        "containing the phrase|contains the phrase|with the phrase|with the text|containing the string|"
        "contains the string|includes|which contains|that contain|that contains|have the word|"
        "that include the word|talking about",
        "starts": "starts with|starting with|start with|beginning with|begins with|begin with|that starts with|"
        "that start with|starts with the letter|starting with the letter|start with the letter|"
        "begins with the letter|beginning with the letter|begin with the letter|prefixed with|prefixed by|"
        "starts in|starting by|which start with",
        "ends": "ends with|ending with|end with|ending in|ends in|end in|that end with|that ends with|that end in|"
        "ends with the letter|ending with the letter|suffixed with|that ends in|which end with|"
        "which end in",
    }
)
NOT_WORDS = phrases(
    {
        "not": "not|neither|never|no longer|non|not in|excluding|except|except for|excluding the|apart from|"
        "aside from|other than|but not|not from|without the|besides|not the|"
        "ignoring|leaving out|omitting|leave out|exclude|ignore|not counting|outside|outside of|"
        "without counting|everything but|all but|are not|is not|were not|was not|rather than|"
        "with the exception of|omit|skip|skipping|disregarding|minus the|not including|not being|"
        "instead of|discounting"
    }
)


def phrase_at(tokens: Sequence[Token], i: int, table: Mapping[tuple[str, ...], str]) -> tuple[str, int] | None:
    """The longest phrase of the table that begins at token i: its meaning and length."""
    longest = _LONGEST.get(id(table))
    if longest is None:
        longest = _LONGEST[id(table)] = max(len(k) for k in table)
    low = tuple(t.low if t.kind in ("word", "symbol") else "\0" for t in tokens[i : i + longest])
    for n in range(len(low), 0, -1):
        meaning = table.get(low[:n])
        if meaning is not None:
            return meaning, n
    return None


_LONGEST: dict[int, int] = {}

OPPOSITE: dict[Comparison, Comparison] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def unit_at(tokens: Sequence[Token], i: int) -> tuple[Unit, int] | None:
    """The unit of time named at token i, singular or plural."""
    for n in range(min(5, len(tokens) - i), 0, -1):
        key = tuple(t.lemma if k == n - 1 or n > 1 else t.low for k, t in enumerate(tokens[i : i + n]))
        unit = UNITS.get(key)
        if unit is not None:
            return unit, n
    return None
