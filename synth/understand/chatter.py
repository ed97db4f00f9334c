"""The words around a request that say nothing about the data: greetings, thanks, what it is for, how nicely it is asked."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

# Only what is surely no part of the data; "for the project" may be a wish that the data cannot meet.
PURPOSES = (
    "slides?|slide deck|deck|presentation|reports?|meeting|board meeting|newsletter|dashboard|spreadsheet|homework|"
    "assignment|thesis|memo|pitch|talk|summary|overview|review|audit|boss"
)
_WHOSE = r"(?:my|our|the|a|an|his|her|this|today's|tomorrow's|monday's|this week's|next week's|a quick|an upcoming)"
# "Count" is no courtesy: it says what is wanted.
_ASK = r"(?:tell|show|give|list|find|get|check|send|help|look up|let|fetch|pull|name|work out|figure out)"
_SEE = r"(?:know|see|have|get|find(?: out)?|look at|learn|understand|check|hear|work out|figure out)"

BEFORE = (
    r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|dear \w+|morning)"
    r"(?: (?:there|all|everyone|team|folks|again|tars))?\s*[,!.:\u2013\u2014-]+",
    r"(?:ok|okay|so|well|right|alright|now|oh|sorry|um+|hmm+|actually|again|first|next|finally|lastly|also|and|please)"
    r"\s*[,!.:\u2013\u2014]+",
    r"(?:just )?(?:a |one |another |my |the )?(?:quick|short|small|simple|brief|last|first|next|easy|stupid|silly|final|new|other|more)?\s*"
    r"(?:one|question|check|request|favou?r|thing|query)(?: for you| please| again| more)?\s*[:,!.\u2013\u2014-]+",
    r"i(?: am|'m| was|'ve been| have been)?(?: just| only)? (?:wondering|curious|wonder)"
    r"(?:,? (?:if|whether) (?:you|we|i|someone) (?:could|can|might|would)(?: please)?"
    rf"(?: {_ASK}(?: me| us)?(?: to {_SEE})?)?|,? about)?",
    rf"i(?: am|'m| was)?(?: just)? (?:trying|hoping|looking|supposed|keen) to {_SEE}",
    r"i(?: am|'m) (?:after|looking for|interested in)",
    r"(?:do|does|did) (?:you|anyone|anybody|someone)(?: happen to)? know",
    r"(?:any|have you any|do you have any) idea",
    rf"(?:it would|it'd|would it) be (?:really |very )?(?:great|nice|good|helpful|useful|lovely|possible|interesting)"
    rf"(?: to {_SEE}| if (?:you|i|we) (?:could|can) {_ASK}(?: me| us)?)?",
    r"(?:my|our|the) (?:boss|manager|colleagues?|team|client|director|ceo|cfo|accountant|teacher|professor)"
    r"(?: just| urgently)? (?:wants?|needs?|would like|asked|is asking|asks?|wonders?)(?: me| us)?"
    rf"(?: to {_SEE}| for)?",
    rf"what (?:i|we)(?:'d| would)?(?: really)? (?:need|want|like)(?: to {_SEE})? (?:is|are)",
    rf"(?:i|we)(?:'d| would)?(?: really| just| only| urgently)* (?:need|want|like|love)(?: (?:you )?to {_SEE}| you to {_ASK} (?:me|us))?",
    r"(?:can|could|would|will|may|might) (?:you|u|someone|somebody|i|we)(?: please| kindly| perhaps| maybe| just| possibly)*"
    rf" (?:{_ASK}|{_SEE})(?: me| us)?(?: out)?(?: with)?",
    r"(?:let us|let's|lets) (?:see|have a look at|look at|take a look at|find out|check)",
    r"help me(?: to)? (?:find|get|see|list|with|understand|out)(?: out)?",
    r"(?:would you )?be so (?:kind|good) (?:as to|and)",
    r"(?:if (?:it is |it's )?possible|if you (?:can|could|don't mind)|when you have (?:a )?(?:moment|minute|time))\s*,",
)
AFTER = (
    r"(?:please|pls|plz|kindly)",
    r"(?:many |much |big |with )?(?:thanks|thank you|thank u|thx|cheers|ty)(?: (?:so|very) much| a lot| a bunch| a million)?"
    r"(?: in advance| for (?:your|the) help)?",
    r"(?:much )?appreciated",
    r"if (?:it is |it's |that is |that's )?(?:possible|ok|okay|alright|not too much trouble)",
    r"if you (?:can|could|don't mind|please|would)",
    r"(?:when|whenever|once) you (?:have|get|find) (?:a |the )?(?:moment|minute|second|chance|time)",
    r"(?:asap|as soon as possible|for me|for us)",
    r"(?:that (?:would|will)|that'd) be (?:great|nice|lovely|helpful|awesome|perfect|all)",
    r"(?:that is|that's) (?:all|it)(?: for now)?",
    r"(?:can|could|would|will) you|would you mind|do you think",
    r"[:;][-']?[)(DP]",
)


_FOR = frozenset(re.sub(r"\?|\(.*?\)", "", PURPOSES).replace("|", " ").split()) | {"report", "slide", "slides"}
_OPENING = frozenset(
    "hi hello hey hiya howdy greetings good dear morning ok okay so well right alright now oh sorry um umm hmm actually "
    "again first next finally lastly also and please just a one another my the quick short small simple brief last easy "
    "stupid silly final new other more question check request favour favor thing query i i'm i've i'd do does did any have "
    "it it'd would our what we can could will may might let let's lets help be if when we'd".split()
)


@cache
def _before() -> re.Pattern[str]:
    return re.compile(rf"^\s*(?:{'|'.join(BEFORE)})(?!\w)[,:]?\s*", re.IGNORECASE)


@cache
def _after() -> re.Pattern[str]:
    return re.compile(rf"(?:^|[\s,;.!?\u2013\u2014-])\s*(?:{'|'.join(AFTER)})[\s.!?]*$", re.IGNORECASE)


@cache
def _purpose_before() -> re.Pattern[str]:
    return re.compile(
        rf"^\s*(?:for|as part of|in preparation for) {_WHOSE} (?P<what>(?:\w+ ){{0,2}}?(?:{PURPOSES}))"
        r"(?:\s*[:\u2013\u2014]\s*|\s+-\s+|\s*,?\s+(?=(?:i|we|please|can|could|give|show|list|get|find|the|what|how|which|who)\b))",
        re.IGNORECASE,
    )


@cache
def _purpose_after() -> re.Pattern[str]:
    return re.compile(
        rf"[\s,]+(?:for|to put in|to include in|to use in|because of) {_WHOSE} (?P<what>(?:\w+ ){{0,2}}?(?:{PURPOSES}))[\s.!?]*$",
        re.IGNORECASE,
    )


def without_chatter(text: str, names: Collection[str]) -> str:
    """The request less its wrapping. `names` are words of the data: a purpose that is called like one of them is none."""
    while True:
        text = text.replace("\u2019", "'")
        short = text
        words = [w.strip(",.!?:;()-\u2013\u2014") for w in text.casefold().split()]
        if not words:
            return text
        purposes = (_purpose_before(), _purpose_after()) if _FOR.intersection(words) else ()
        # a pattern is made only where its first or last word occurs: making them takes longer than reading a request
        wrapped = (_after(), *((_before(),) if words[0] in _OPENING else ()))
        for pattern in purposes:
            found = pattern.search(short)
            if found and not {w.rstrip("s") for w in found["what"].casefold().split()} & {n.rstrip("s") for n in names}:
                short = short[: found.start()] + " " + short[found.end() :]
        for pattern in wrapped:
            less = pattern.sub(" ", short, count=1)
            # a request that is nothing but wrapping is left for others to refuse
            short = less if re.search(r"\w", less) else short
        if short.strip() == text.strip():
            return text
        text = short.strip()
