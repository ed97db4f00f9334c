"""The words that types are read from: null words, spellings of yes and no, currencies, units, months, countries."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STRONG_NULLS: Final = _words(
    r"""
    #div/0! #n/a #null! #ref! #value! (blank) (null) <na> <null> [null] \n n.a. n/a null
    """
)
"""Null in every column, also among text."""

WEAK_NULLS: Final = (
    STRONG_NULLS
    | _words(
        """
    #name? #num! * - -- --- -nan . .. ... / ? ?? brak desconocido inconnu k.a. leer missing n.b. n.d. n.v.
    n/d na nan nat nd nessuno nil none nul ohne s.o. s/o tba tbd unbekannt undefined unknown unspecified void –
    —
    """
    )
    | {"k. a.", "keine angabe", "no data", "not applicable", "not available", "not known", "not set"}
)
"""Null only where the other values are not text."""

SHARED_NULLS: Final = _words("* - -- --- -nan . .. ... ? ?? n/d na nan nd – —")
"""Marks that are null in a table's text too, where they are among its numbers or dates."""

TRUE: Final = _words(
    """
    ano evet hai j ja on oui si sim sí t tak true verdadeiro verdadero vero vrai wahr y yes да ✓ ✔ 是
    """
)

FALSE: Final = _words(
    """
    f falsch false falso faux hayır iie n nao ne nee nein nie no non não off нет ✗ ✘ 否
    """
)

SHORT: Final = _words(
    """
    f j n t y
    """
)
"""Spellings of yes and no that mean it only together with their opposite."""

FLAG_WORDS: Final = _words(
    """
    active aktiv bool boolean deleted disabled enabled flag has is opt paid shipped subscribed valid verified yn
    """
)
"""Words in the name of a column whose 1 and 0 are yes and no."""

TEXT_WORDS: Final = _words(
    """
    barcode bic cap cep ean fax gtin handy iban imei isbn kontonummer mobile msisdn passport phone plz postal
    postcode sku ssn swift tel telefon telephone tin upc zip zipcode
    """
)
"""Words in the name of a column whose digits are a label."""

TIME_WORDS: Final = _words(
    """
    at begin changed created date datetime datum end epoch expiration expires expiry last logged login modified
    on posted published seen start time timestamp ts unixtime updated utc when zeit
    """
)
"""Words in the name of a column whose digits may be a moment."""

DURATION_WORDS: Final = _words(
    """
    dauer duration durée elapsed lap length pace runtime split took
    """
)
"""Words in the name of a column whose 01:30:00 is no time of day."""

SYMBOLS: Final = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺":
    "TRY", "₪": "ILS", "฿": "THB", "₫": "VND", "₴": "UAH", "R$": "BRL", "C$": "CAD", "CA$": "CAD", "A$": "AUD",
    "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "kr": "SEK",
    "kr.": "DKK", "Fr.": "CHF", "SFr.": "CHF", "Rs.": "INR", "Rs": "INR", "руб.": "RUB", "руб": "RUB", "лв":
    "BGN", "lei": "RON", "元": "CNY", "円": "JPY", "Euro": "EUR", "euro": "EUR", "EURO": "EUR", "Dollar": "USD",
    "dollars": "USD", "RM": "MYR", "Rp": "IDR", "₱": "PHP", "₦": "NGN",
}  # fmt: skip
"""Currency signs and the codes they usually stand for."""

CURRENCIES: Final = _words(
    """
    AED ARS AUD BDT BGN BRL BTC CAD CHF CLP CNY COP CZK DKK EGP ETH EUR GBP GEL HKD HRK HUF IDR ILS INR ISK JPY
    KES KRW KWD KZT LKR MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD
    VND ZAR
    """
)
"""ISO 4217 codes."""

UNITS: Final = _words(
    """
    A B C F GB GHz Gbps GiB Hz J K KB KiB L MB MHz MW MWh Mbps MiB N Nm Pa Stk Stk. Stück TB V W Wh bar bps
    bytes cal cl cm d dB dBm day days dl ft g gal h hPa ha hours hr hrs in kB kHz kJ kPa kW kWh kbps kcal kg km
    km/h kmh km² l lb lbs lm lux m m/s m2 m3 mA mL mV mbar mg mi min mins minutes ml mm months mph ms m² m³ nm
    ns oz pc pcs ppb ppm pt pts px rpm s sec seconds secs t us weeks x y yd years yrs ° °C °F µg µm µs
    """
)
"""What may stand behind a number."""

MONEY_WORDS: Final = _words(
    """
    amount balance betrag budget cost fee importe montant payment precio preis price prix revenue salary sum
    summe tax total umsatz
    """
)
"""Words in the name of a column whose values stay exact, however many decimals they have."""

MONTHS: Final = {
    language: (full.split(), short.split())
    for language, full, short in (
        (
            "en",
            "january february march april may june july august september october november december",
            "jan feb mar apr may jun jul aug sep oct nov dec",
        ),
        (
            "de",
            "januar februar märz april mai juni juli august september oktober november dezember",
            "jan feb mär apr mai jun jul aug sep okt nov dez",
        ),
        (
            "fr",
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
            "janv févr mars avr mai juin juil août sept oct nov déc",
        ),
        (
            "es",
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
            "ene feb mar abr may jun jul ago sep oct nov dic",
        ),
        (
            "it",
            "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
            "gen feb mar apr mag giu lug ago set ott nov dic",
        ),
        (
            "pt",
            "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
            "jan fev mar abr mai jun jul ago set out nov dez",
        ),
        (
            "nl",
            "januari februari maart april mei juni juli augustus september oktober november december",
            "jan feb mrt apr mei jun jul aug sep okt nov dec",
        ),
        (
            "sv",
            "januari februari mars april maj juni juli augusti september oktober november december",
            "jan feb mar apr maj jun jul aug sep okt nov dec",
        ),
        (
            "da",
            "januar februar marts april maj juni juli august september oktober november december",
            "jan feb mar apr maj jun jul aug sep okt nov dec",
        ),
        (
            "no",
            "januar februar mars april mai juni juli august september oktober november desember",
            "jan feb mar apr mai jun jul aug sep okt nov des",
        ),
        (
            "pl",
            "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
            "sty lut mar kwi maj cze lip sie wrz paź lis gru",
        ),
        (
            "ru",
            "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
            "янв фев мар апр мая июн июл авг сен окт ноя дек",
        ),
        (
            "tr",
            "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
            "oca şub mar nis may haz tem ağu eyl eki kas ara",
        ),
    )
}
"""Full and short names of the months, by language, English first."""
ENGLISH: Final = MONTHS["en"][0]

VARIANTS: Final = {
    "en": {"sept": 8},
    "de": {"maerz": 2, "mrz": 2, "jänner": 0, "sept": 8},
    "fr": {"fevrier": 1, "aout": 7, "decembre": 11, "fév": 1, "jan": 0, "sep": 8},
    "es": {"setiembre": 8, "sept": 8},
}
"""Other spellings, with the number of the month from 0."""

WEEKDAYS: Final = _words(
    """
    di dienstag dim dimanche do domingo donnerstag fr freitag fri friday jeu jeudi jueves lun lundi lunes mar
    mardi martes mer mercredi mi mittwoch miércoles mo mon monday montag sa sam samedi samstag sat saturday so
    sonnabend sonntag sun sunday sábado thu thur thurs thursday tue tues tuesday ven vendredi viernes wed
    wednesday
    """
)

COUNTRIES: Final = _words(
    """
    AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM
    CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FR GA GB GD GE GH GM GN GQ GR GT GW GY HK
    HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ LA LB LC LI LK LR LS LT LU LV LY
    MA MC MD ME MG MH MK ML MM MN MO MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA PE PG PH PK PL PR
    PT PW PY QA RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TD TG TH TJ TL TM TN TO TR TT
    TV TW TZ UA UG UK US UY UZ VA VC VE VN VU WS YE ZA ZM ZW
    """
)
"""ISO 3166 codes of two letters."""
