"""What requests say on authentication, and what is left of them without it."""

from __future__ import annotations

import base64

import pytest

from synth.errors import SourceProblem
from synth.sources.auth_words import Secrets, read_words, secrets_in, without_auth_words

ENVIRONMENT = {
    "API_TOKEN": "tok-123456",
    "SHOP_KEY": "shop-98765",
    "MAPS_KEY": "maps-55555",
    "U": "ada",
    "P": "love lace",
    "FOO": "foo-secret-1",
    "APP_ID": "app-77777",
    "BAD": "two\r\nlines",
}
BASIC = "Basic " + base64.b64encode(b"ada:love lace").decode()


@pytest.mark.parametrize(
    ("text", "headers", "query"),
    [
        ("all orders, bearer token in $API_TOKEN", {"Authorization": "Bearer tok-123456"}, ""),
        ("orders (bearer token in ${API_TOKEN})", {"Authorization": "Bearer tok-123456"}, ""),
        ("orders over 100 EUR; the token is in $API_TOKEN", {"Authorization": "Bearer tok-123456"}, ""),
        ("the key goes into X-API-Key (env SHOP_KEY)", {"X-API-Key": "shop-98765"}, ""),
        (
            "orders. My API key is in SHOP_KEY; it belongs in the header X-Shop-Token",
            {"X-Shop-Token": "shop-98765"},
            "",
        ),
        ("orders, send $SHOP_KEY as the Api-Key header", {"Api-Key": "shop-98765"}, ""),
        ('curl -H "X-API-Key: $SHOP_KEY" and list orders', {"X-API-Key": "shop-98765"}, ""),
        ("api key in the query parameter key from $MAPS_KEY", {}, "key=maps-55555"),
        ("cities, with the appid query parameter set to $MAPS_KEY", {}, "appid=maps-55555"),
        ("cities with ?apikey=$MAPS_KEY", {}, "apikey=maps-55555"),
        ("orders, basic auth with user $U and password $P", {"Authorization": BASIC}, ""),
        ("orders, log in as user ada with the password from $P", {"Authorization": BASIC}, ""),
        ("orders, token from environment variable FOO", {"Authorization": "Bearer foo-secret-1"}, ""),
        ("orders, Authorization: Token $API_TOKEN", {"Authorization": "Token tok-123456"}, ""),
        ("orders; authenticate with API_TOKEN", {"Authorization": "Bearer tok-123456"}, ""),
        (
            "orders, $APP_ID goes into X-App-Id and $SHOP_KEY into X-App-Key",
            {"X-App-Id": "app-77777", "X-App-Key": "shop-98765"},
            "",
        ),
        ("orders. Header: X-Api-Key=$SHOP_KEY", {"X-Api-Key": "shop-98765"}, ""),
        ("the api key goes in the header `apikey`, it's in $SHOP_KEY: total per city", {"apikey": "shop-98765"}, ""),
        ("total per city, it needs the header PRIVATE-TOKEN with $API_TOKEN", {"PRIVATE-TOKEN": "tok-123456"}, ""),
        ("orders (basic auth $U:$P)", {"Authorization": BASIC}, ""),
        ("orders with api_key=abcd1234efgh", {}, "api_key=abcd1234efgh"),
        ("orders per month, pass the key in SHOP_KEY as ?key=", {}, "key=shop-98765"),
        ("orders, bearer token abc123def456ghi", {"Authorization": "Bearer abc123def456ghi"}, ""),
        ("orders with the header X-API-Key: k3y-in-plain-sight", {"X-API-Key": "k3y-in-plain-sight"}, ""),
    ],
)
def test_the_words_say_where_a_credential_goes(text: str, headers: dict[str, str], query: str) -> None:
    words = read_words(text, ENVIRONMENT)

    auth = words.credentials(ENVIRONMENT, Secrets())

    assert auth.headers() == headers
    assert auth.on_url("http://h/x?a=1") == "http://h/x?a=1" + (f"&{query}" if query else "")


@pytest.mark.parametrize(
    "text",
    [
        "orders over $100",
        "revenue per customer in $US",
        "customers whose key account manager is Ada",
        "the top 5 tokens by price",
        "how many users have an empty password",
        "orders where API_TOKEN_COUNT is over 5",
        "orders since 2021-03-05 by user, highest first",
        "orders with status SHIPPED_LATE",
        "how many orders have the key KEY_ACCOUNT",
        "errors in env PROD",
        "users  whose password is empty",
    ],
)
def test_words_about_data_are_left_alone(text: str) -> None:
    assert read_words(text, {"API_TOKEN": "x"}).named == ()
    assert secrets_in(text) == ()
    assert without_auth_words(text) == text


def test_a_variable_that_is_not_set_is_named() -> None:
    words = read_words("orders, bearer token in $NOT_THERE", {})

    with pytest.raises(SourceProblem) as problem:
        words.credentials({}, Secrets())

    assert problem.value.reason == "authentication"
    assert "$NOT_THERE" in problem.value.message


def test_a_value_with_line_breaks_is_never_sent() -> None:
    words = read_words("orders, bearer token in $BAD", ENVIRONMENT)

    with pytest.raises(SourceProblem, match="no header may hold"):
        words.credentials(ENVIRONMENT, Secrets())


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("orders, bearer token abc123def456ghi", ("abc123def456ghi",)),
        ("orders; password: hunter2", ("hunter2",)),
        ("use sk_live_0123456789abcdef to list orders", ("sk_live_0123456789abcdef",)),
        ("orders from https://ada:s3cret@shop.test/orders", ("s3cret",)),
        ("orders from https://shop.test/orders?api_key=zzz999&x=1", ("zzz999",)),
        ("orders, Authorization: Bearer qwertyuiop12", ("qwertyuiop12",)),
        ("orders, bearer token in $API_TOKEN", ()),
    ],
)
def test_pasted_credentials_are_told(text: str, secrets: tuple[str, ...]) -> None:
    assert secrets_in(text) == secrets


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("revenue per customer (bearer token in $API_TOKEN)", "revenue per customer"),
        ("orders over 100 EUR, bearer token in $API_TOKEN", "orders over 100 EUR"),
        ("list orders over 100; the key goes into X-API-Key (env SHOP_KEY)", "list orders over 100"),
        ("using the bearer token in $API_TOKEN list all orders", "list all orders"),
        ("cities in Berlin, api key in the query parameter key from $MAPS_KEY", "cities in Berlin"),
        ("open orders, basic auth with user $U and password $P", "open orders"),
        ("open orders. The token is in environment variable FOO.", "open orders"),
        ("top 5 cities, apikey=$MAPS_KEY in the query string", "top 5 cities"),
        ("open issues using env GH_TOKEN", "open issues"),
        (
            "orders per month; api key is stored in the environment variable SHOP_KEY and is sent as X-API-Key",
            "orders per month",
        ),
        ("total per city, it needs the header PRIVATE-TOKEN with $GH_TOKEN", "total per city"),
        ("orders with api_key=abcd1234efgh", "orders"),
    ],
)
def test_what_is_left_is_the_question(text: str, question: str) -> None:
    assert without_auth_words(text).rstrip(".") == question


def test_secrets_are_struck_out_in_every_spelling() -> None:
    secrets = Secrets()
    secrets.add("a b/c&d")

    scrubbed = secrets.scrub("a b/c&d http://u:pw@h/x?q=a%20b%2Fc%26d&token=zzz and a+b%2Fc%26d")

    assert scrubbed == "*** http://***@h/x?q=***&token=*** and ***"
    assert secrets.scrub_bytes(b'{"you sent": "a b/c&d"}') == b'{"you sent": "***"}'


def test_the_repr_of_credentials_holds_no_value() -> None:
    auth = read_words("orders, bearer token in $API_TOKEN", ENVIRONMENT).credentials(ENVIRONMENT, Secrets())

    assert "tok-123456" not in repr(auth)
    assert auth.described() == "$API_TOKEN (bearer token)"


def test_after_a_401_a_credential_goes_where_the_server_wants_it() -> None:
    auth = read_words("orders, the token is in $API_TOKEN", ENVIRONMENT).credentials(ENVIRONMENT, Secrets())

    basic = auth.other_way('Basic realm="shop"')

    assert basic is not None
    assert basic.headers()["Authorization"] == "Basic " + base64.b64encode(b"tok-123456:").decode()
    assert auth.other_way("Bearer") is None
