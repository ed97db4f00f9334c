"""What a string points to: URLs, DSNs, JDBC, ODBC and `k=v` forms, ARNs, host:port; also inside env lines, commands and code.

Nothing is opened or looked up here: only the words count.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from synth.detect_names import by_name
from synth.detect_score import Board

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+._-]*)://(.*)", re.S)
_OPAQUE = re.compile(r"([A-Za-z][A-Za-z0-9+._-]+):(?!//)(\S.*)", re.S)
_ENV = re.compile(r"(?:export\s+|set\s+|setenv\s+|ENV\s+|\$env:)?([A-Z][A-Z0-9_]{2,})(?:\s*=\s*|:\s+)(\S.*)", re.S)
_SETTING = re.compile(r"""["']?[A-Za-z][\w.-]*["']?\s*[:=]\s*["']?((?:jdbc:|[a-z][a-z0-9+.-]*://|arn:aws)\S.*)""", re.S)
_CALL = re.compile(
    r"""^(?:\w+\s*=\s*)?(?:await\s+|new\s+)?((?:\w+\.)*\w+)\(\s*(?:\w+\s*=\s*)?[rfb]?["']([^"']+)["'].*\)""", re.S
)
_BARE_CALL = re.compile(
    r"^(?:(?:const|let|var|val)?\s*\w+\s*=\s*)?(?:await\s+|new\s+)?(\w+(?:(?:\.|::)\w+)+|[A-Z]\w*)\(.*\)$",
    re.S,
)
"""A call whose first argument need not be text; of a member of a module, or of something called a client."""
_PAIRS = re.compile(r"\s*([\w .@-]+?)\s*=\s*(\{[^}]*\}|\"[^\"]*\"|'[^']*'|\([^;]*\)|[^;]*)\s*(?:;|$)")
_WORD_PAIR = re.compile(r"(?:^|\s)([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|\S+)")
_HOST = (
    r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*)"
)
_HOST_PORT = re.compile(rf"({_HOST}):(\d{{2,5}})(/\S*)?")
_BARE_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\.){2,}[A-Za-z]{2,}(?::\d{2,5})?(?:/\S*)?")
_GO_MYSQL = re.compile(r"[^@/\s]*(?::[^@\s]*)?@(?:tcp|tcp6|unix)\([^)]*\)/\S*")
_SCP = re.compile(r"[\w.-]+@[\w.-]+:(?!\d+$)(\S+)")
_PDO = re.compile(
    r"(mysql|pgsql|sqlsrv|oci|dblib|firebird|odbc|ibm|informix|cubrid|uri):\s*(?=[\w ]+=)(.*)", re.I | re.S
)
_EZCONNECT = re.compile(r"(?:[\w$#]+/[^@\s]*@)(?://)?[\w.-]+(?::\d+)?/[\w.$-]+|//[\w.-]+:1521/[\w.$-]+")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/](?!/)")
_TRAPS = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "an e-mail address"),
    (re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?"), "a UUID"),
    (re.compile(r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})|(?:sha256|sha1|md5):[0-9a-fA-F]+"), "a hash"),
    (re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"), "a MAC address"),
    (
        re.compile(
            r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T]\d\d:\d\d(?::\d\d)?\S*)?|\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]m)?", re.I
        ),
        "a date or time",
    ),
    (re.compile(r"[vV]?\d+(?:\.\d+){1,3}(?:[-+.]?\w+)*|[+-]?[\d.,]+ ?\S?"), "a number or version"),
    (
        re.compile(
            r"(?:mailto|tel|sms|urn|javascript|about|blob|chrome|vscode|spotify|geo|doi|isbn|view-source):\S.*",
            re.I | re.S,
        ),
        "an address of another sort",
    ),
    (re.compile(r"@[\w-]+/[\w.-]+(?:@\S+)?"), "a package name"),
    (re.compile(r"#[0-9A-Fa-f]{3,8}"), "a colour"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "a token"),
    (re.compile(r"(?:sk|pk|ghp|gho|xox[bp]|AKIA)[-_]?\w{12,}"), "a key"),
)
_IMAGE_TAG = re.compile(
    r"(?:docker\.io/|ghcr\.io/|quay\.io/|(?:[\w-]+\.)+\w+(?::\d+)?/)?(?:[a-z0-9._-]+/)*[a-z0-9._-]+"
    r"(?::(?:latest|stable|edge|alpine\S*|slim\S*|bookworm\S*|bullseye\S*|v?\d+(?:\.\d+)*(?:[-.]\w[\w.-]*)?))(?:@sha256:\w+)?|\S+@sha256:[0-9a-f]{64}"
)
_GIT_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht", "dev.azure.com")
_SHARED_PORTS = frozenset(
    {80, 443, 3000, 4000, 5000, 7000, 8000, 8080, 8081, 8082, 8088, 8443, 8888, 9000, 9001, 10000, 4566}
)
_HTTP_ONLY_PORTS = frozenset(
    {8123, 5984, 6984, 7474, 7473, 8529, 8983, 9200, 9243, 8086, 9090, 9100, 8428, 15672, 8500, 8501, 8200, 7700, 8108}
    | {6333, 2379, 8222, 3100, 4242, 8047, 8182, 2480, 9870, 50070, 19071, 4161, 4151, 8091, 8889, 4200, 4080}
)
_CALLS = (
    ("psycopg", "postgresql"),
    ("pg8000", "postgresql"),
    ("nzpy", "netezza"),
    ("hdfscli", "hdfs"),
    ("pyignite", "ignite"),
    ("tarantool", "tarantool"),
    ("hazelcast", "hazelcast"),
    ("firestore", "firestore"),
    ("spanner", "spanner"),
    ("bigtable", "bigtable"),
    ("pubsub", "pubsub"),
    ("storage.client", "gcs"),
    ("asyncpg", "postgresql"),
    ("pymysql", "mysql"),
    ("mysql", "mysql"),
    ("mariadb", "mariadb"),
    ("sqlite3", "sqlite"),
    ("duckdb", "duckdb"),
    ("pymongo", "mongodb"),
    ("mongoclient", "mongodb"),
    ("mongoose", "mongodb"),
    ("redis", "redis"),
    ("oracledb", "oracle"),
    ("cx_oracle", "oracle"),
    ("pymssql", "mssql"),
    ("pyodbc", "odbc"),
    ("clickhouse", "clickhouse"),
    ("elasticsearch", "elasticsearch"),
    ("opensearch", "opensearch"),
    ("neo4j", "neo4j"),
    ("graphdatabase", "neo4j"),
    ("kafka", "kafka"),
    ("read_csv", "csv"),
    ("read_parquet", "parquet"),
    ("read_excel", "xlsx"),
    ("read_json", "json"),
    ("influxdb", "influxdb"),
    ("snowflake", "snowflake"),
    ("pika", "rabbitmq"),
    ("ldap", "ldap"),
    ("imaplib", "imap"),
    ("ftplib", "ftp"),
    ("couchdb", "couchdb"),
    ("cassandra", "cassandra"),
    ("deltatable", "delta"),
    ("write_deltalake", "delta"),
    ("memcache", "memcached"),
    ("chromadb", "chroma"),
    ("chromaclient", "chroma"),
    ("weaviate", "weaviate"),
    ("qdrant", "qdrant"),
    ("milvus", "milvus"),
    ("pinecone", "pinecone"),
    ("lancedb", "lancedb"),
    ("s3fs", "s3"),
    ("s3filesystem", "s3"),
    ("gcsfs", "gcs"),
    ("gcsfilesystem", "gcs"),
    ("adlfs", "adls"),
    ("blobserviceclient", "azure-blob"),
    ("datalakeserviceclient", "adls"),
    ("tableserviceclient", "azure-table"),
    ("queueserviceclient", "azure-queue"),
    ("servicebusclient", "servicebus"),
    ("eventhubconsumerclient", "eventhubs"),
    ("cosmosclient", "cosmosdb"),
    ("load_dataset", "huggingface"),
    ("pysolr", "solr"),
    ("meilisearch", "meilisearch"),
    ("typesense", "typesense"),
    ("bigquery", "bigquery"),
    ("databricks", "databricks"),
    ("redshift_connector", "redshift"),
    ("teradatasql", "teradata"),
    ("vertica", "vertica"),
    ("hdbcli", "saphana"),
    ("ibm_db", "db2"),
    ("firebird", "firebird"),
    ("pyhive", "hive"),
    ("impala", "impala"),
    ("trino", "trino"),
    ("prestodb", "presto"),
    ("pydruid", "druid"),
    ("pinotdb", "pinot"),
    ("pyexasol", "exasol"),
    ("couchbase", "couchbase"),
    ("aerospike", "aerospike"),
    ("rethinkdb", "rethinkdb"),
    ("arangoclient", "arangodb"),
    ("surreal", "surrealdb"),
    ("gremlin", "gremlin"),
    ("sparqlwrapper", "sparql"),
    ("pydgraph", "dgraph"),
    ("kazoo", "zookeeper"),
    ("etcd3", "etcd"),
    ("consul", "consul"),
    ("hvac", "vault"),
    ("happybase", "hbase"),
    ("questdb", "questdb"),
    ("paho", "mqtt"),
    ("mqtt", "mqtt"),
    ("nats", "nats"),
    ("pulsar", "pulsar"),
    ("stomp", "stomp"),
    ("greenstalk", "beanstalkd"),
    ("smbclient", "smb"),
    ("sftpclient", "sftp"),
    ("asyncssh", "ssh"),
    ("paramiko", "ssh"),
    ("webdav", "webdav"),
    ("poplib", "pop3"),
    ("smtplib", "smtp"),
    ("opcua", "opcua"),
    ("modbus", "modbus"),
    ("snap7", "s7"),
    ("netcdf4.dataset", "netcdf"),
    ("open_zarr", "zarr"),
    ("h5py.file", "hdf5"),
    ("read_feather", "feather"),
    ("read_orc", "orc"),
    ("read_stata", "stata"),
    ("read_sas", "sas7bdat"),
    ("read_spss", "spss"),
    ("read_xml", "xml"),
    ("read_html", "html"),
    ("read_fwf", "fixed-width"),
    ("read_hdf", "hdf5"),
    ("read_pickle", "pickle"),
    ("read_ndjson", "ndjson"),
    ("read_avro", "avro"),
    ("scan_csv", "csv"),
    ("scan_parquet", "parquet"),
)
_ARNS = {
    "s3": "s3",
    "dynamodb": "dynamodb",
    "kinesis": "kinesis",
    "firehose": "kinesis",
    "sqs": "sqs",
    "sns": "sns",
    "redshift": "redshift",
    "redshift-serverless": "redshift",
    "athena": "athena",
    "glue": "aws-glue",
    "es": "opensearch",
    "aoss": "opensearch",
    "elasticache": "redis",
    "memorydb": "redis",
    "kafka": "kafka",
    "logs": "cloudwatch",
    "cloudwatch": "cloudwatch",
    "events": "eventbridge",
    "lambda": "aws-lambda",
    "secretsmanager": "aws-secrets-manager",
    "timestream": "timestream",
    "docdb-elastic": "documentdb",
    "mq": "rabbitmq",
    "neptune-db": "neptune",
    "cassandra": "cassandra",
    "execute-api": "rest-api",
    "appsync": "graphql",
    "iot": "mqtt",
    "s3express": "s3",
    "s3-object-lambda": "s3",
    "kendra": "kendra",
    "codecommit": "git",
}
_AWS_COMMANDS = _ARNS | {
    "s3api": "s3",
    "dynamodbstreams": "dynamodb",
    "redshift-data": "redshift",
    "kinesisanalytics": "kinesis",
    "timestream-query": "timestream",
}
_PROSE = re.compile(
    r"\b(?:the|a|an|is|are|was|were|of|to|and|or|for|with|in|on|at|by|from|please|how|what|why|we|you|it|this|that|my|our|can|should|will|need|want|der|die|das|und|ist|le|la|les|des)\b",
    re.I,
)
_SQL_TEXT = re.compile(
    r"\s*(?:select\b.+\bfrom\b|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b|create\s+(?:table|view)\b|with\s+\w+\s+as\s*\()",
    re.I | re.S,
)
_DATA_EXTENSIONS = frozenset(
    "delimited json xml columnar database-file spreadsheet geographic log statistical scientific archive config api-description".split()
)


def read_string(board: Board, text: str, depth: int = 0) -> None:
    """Put on the board what this string says. Adds nothing for a string that points to no data."""
    board.doubt = 0.8
    text = _unquoted(text.strip())
    if not text or depth > 4:
        return
    if text == "-":
        board.add("stdin", 5.0, "a lone hyphen is standard input")
        return
    for step in (
        _multi_line,
        _env_line,
        _code_call,
        _jdbc,
        _pairs,
        _url,
        _special_forms,
        _command,
        _traps,
        _hosts,
        _path,
    ):
        if step(board, text, depth):
            return


def _unquoted(text: str) -> str:
    while len(text) > 1 and (text[0], text[-1]) in (('"', '"'), ("'", "'"), ("`", "`"), ("<", ">"), ("“", "”")):
        text = text[1:-1].strip()
    if text.endswith((";", ",")) and "=" not in text:
        text = _unquoted(text[:-1].strip())
    return text


def _multi_line(board: Board, text: str, depth: int) -> bool:
    """Several lines, or text that begins as JSON or XML does, is content rather than an address."""
    if text[0] in "{[" and text[-1] in "}]" and '"' in text:
        from synth.detect_text import read_text

        read_text(board, text.encode(), payload=True)
        return True
    if "\n" not in text:
        return False
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > 12 or not lines:
        return False
    joined = " ".join(line.rstrip("\\").strip() for line in lines)
    if lines[0].endswith("\\") or all(_ENV.fullmatch(line) for line in lines):
        read_string(board, joined if lines[0].endswith("\\") else lines[0], depth + 1)
        return True
    if ";" in text or re.match(r"\s*\(DESCRIPTION", text, re.I):
        read_string(board, joined, depth + 1)
        return True
    return False


def _env_line(board: Board, text: str, depth: int) -> bool:
    match = _ENV.fullmatch(text)
    command = re.match(r"(?:[A-Z_][A-Z0-9_]*=\S*\s+)+(\S+)\s", text)
    if command and command[1].rsplit("/", 1)[-1] in board.catalogue.by_command:
        return False
    if match and not (";" in match[2] and re.search(r";\s*[\w ]+=", match[2])):
        name, value = match[1], _unquoted(match[2].strip())
        before = len(board.signals)
        read_string(board, value, depth + 1)
        if board.trap and len(board.signals) == before and _env_hint(board, name):
            board.trap = False
        elif not board.trap:
            _env_hint(board, name)
        return True
    setting = _SETTING.fullmatch(text)
    if (
        setting
        and not re.search(r";\s*[A-Za-z ]+=", text)
        and not _URL.fullmatch(text)
        and not text.lower().startswith(("jdbc:", "arn:", "data:"))
        and "(" not in text.split("=")[0]
    ):
        read_string(board, _unquoted(setting[1].rstrip("\"',; ")), depth + 1)
        return True
    return False


def _env_hint(board: Board, name: str) -> bool:
    known = board.catalogue.by_environment.get(name)
    if known:
        for kind in known:
            board.add(kind, 2.5, f"the variable {name} is how {board.catalogue.kinds[kind].title} is pointed to")
        return True
    for piece in reversed(name.lower().split("_")):
        kind_found = board.catalogue.named(piece) if len(piece) > 2 else None
        if kind_found and piece not in (
            "url",
            "http",
            "https",
            "data",
            "text",
            "config",
            "key",
            "env",
            "log",
            "dsn",
            "conf",
            "raw",
            "db",
            "web",
            "box",
            "root",
        ):
            if name.rpartition("_")[2] in (
                "URL",
                "URI",
                "DSN",
                "HOST",
                "CONN",
                "CONNECTION",
                "ENDPOINT",
                "SERVER",
                "ADDR",
                "SERVERS",
                "HOSTS",
                "BROKERS",
                "BROKER",
                "NODES",
                "PROJECT",
                "ACCOUNT",
                "BUCKET",
                "CLUSTER",
                "STRING",
            ):
                generic = board.best()[0] in ("http", "rest-api", "html")
                board.add(kind_found.id, 3.2 if generic else 1.0, f"the variable is called {name}", weak=not generic)
                return True
            return False
    return False


def _code_call(board: Board, text: str, depth: int) -> bool:
    match = _CALL.fullmatch(text) if "(" in text and ("'" in text or '"' in text) else None
    if match and _PROSE.match(text):
        return False
    service = re.fullmatch(
        r"(?:\w+\s*=\s*)?(?:aio)?boto\w*\.(?:client|resource)\(\s*[\"'](\w[\w-]*)[\"'].*", text, re.S
    )
    if service and service[1] in _AWS_COMMANDS:
        board.add(_AWS_COMMANDS[service[1]], 5.5, f"a client of the AWS service {service[1]}")
        return True
    if not match:
        bare = _BARE_CALL.fullmatch(text) if "(" in text else None
        address = re.search(r"""["'`]((?:jdbc:|[A-Za-z][\w+.-]*://)[^"'`\s]+)["'`]""", text) if "(" in text else None
        if address and re.match(r"(?:\w+\s*=\s*|const |let |var |val |await |new )*[\w.:]+\(", text):
            read_string(board, address[1], depth + 1)
            return True
        kind = next((kind for word, kind in _CALLS if word in bare[1].lower()), None) if bare else None
        by_port = re.search(r"\bport\s*[=:]\s*[\"']?(\d{3,5})\b", text)
        if bare and not kind and by_port and re.search(r"\(\s*\[|\bhosts?\w*\s*[=:]", text):
            _by_port(board, "", int(by_port[1]), 3.0)
            return bool(board.signals)
        if not bare or not kind:
            return False
        board.add(kind, 3.5, f"opened with {bare[1]}()")
        host = re.search(
            r"""\b(?:host(?:name)?|server|account|endpoint|url|uri)\s*[=:]\s*["']([\w.-]+\.[\w.-]+)["']""", text
        )
        if host:
            _scheme_and_host(board, kind, host[1].lower(), f"opened with {bare[1]}()")
        return True
    name = match[1].lower()
    kind = next((kind for word, kind in _CALLS if word in name), None)
    if kind:
        board.add(kind, 3.0, f"opened with {match[1]}()")
    if kind in ("sqlite", "duckdb") and "://" not in match[2]:
        return True
    read_string(board, match[2], depth + 1)
    if board.trap and kind:
        board.trap = False
    return True


def _jdbc(board: Board, text: str, depth: int) -> bool:
    match = re.match(r"(jdbc|r2dbcs?|odbc|adbc|jdbc-sqlserver):(.+)", text, re.I | re.S)
    if not match:
        return False
    rest = match[2]
    for wrapper in (
        "tc:",
        "p6spy:",
        "log4jdbc:",
        "otel:",
        "dbeam:",
        "pool:",
        "proxy:",
        "apm:",
        "tracing:",
        "interceptor:",
    ):
        rest = rest.removeprefix(wrapper)
    known = board.catalogue.by_jdbc | ({} if match[1].lower() == "jdbc" else board.catalogue.by_scheme)
    parts = re.split(r"[:/;@?]", rest.lower(), maxsplit=4)
    for count in (3, 2, 1):
        for kind in known.get(":".join(parts[:count]), ()):
            host = re.search(r"(?:://|@//|@)(?:[^@/]*@)?([\w.-]+)", rest)
            _scheme_and_host(board, kind, host[1] if host else "", f"the {match[1].upper()} sub-protocol {parts[0]}")
            return True
    named = board.catalogue.named(parts[0])
    if named:
        board.add(named.id, 3.5, f"the {match[1].upper()} sub-protocol {parts[0]}")
    else:
        board.add(
            "jdbc" if match[1].lower() == "jdbc" else "odbc",
            2.0,
            f"a {match[1].upper()} address with the unknown sub-protocol {parts[0]!r}",
        )
    return True


def _scheme_and_host(board: Board, kind: str, host: str, words: str) -> None:
    """A scheme says one thing, the host may say better: Redshift answers at postgresql:// too."""
    decided = board.catalogue.host_kind(host) if host else None
    if decided and decided != kind:
        related = kind in board.catalogue.ancestors(decided)
        if related or kind in ("http", "rest-api", "websocket", "git", "ssh", "gremlin", "spark-sql", "hive", "jdbc"):
            board.add(decided, 6.0, f"the host {host} belongs to {board.catalogue.kinds[decided].title}")
            board.add(kind, 2.0, words)
            return
        if decided == "cosmosdb" and kind in ("mongodb", "cassandra", "gremlin"):
            board.add("cosmosdb", 6.0, f"the host {host} belongs to Azure Cosmos DB")
            board.add(kind, 3.0, words)
            return
        board.notes.append(f"hosted at {host} ({board.catalogue.kinds[decided].title})")
    elif decided == kind:
        board.add(kind, 1.0, f"the host {host} is one of {board.catalogue.kinds[kind].title}'s")
    board.add(kind, 6.0, words)


def _pairs(board: Board, text: str, depth: int) -> bool:
    """`Key=value;Key=value`, as ODBC, ADO, OLE DB and Azure write it; and libpq's words."""
    if _URL.match(text) or "=" not in text:
        return False
    body = re.sub(r"^odbc:(?=\s*(?:driver|dsn)\s*=)", "", text, flags=re.I)
    pdo = _PDO.fullmatch(body)
    if pdo:
        kind = {
            "pgsql": "postgresql",
            "mysql": "mysql",
            "sqlsrv": "mssql",
            "dblib": "mssql",
            "oci": "oracle",
            "ibm": "db2",
            "uri": "odbc",
        }.get(pdo[1].lower(), pdo[1].lower())
        named_host = re.search(r"host\s*=\s*([\w.-]+)", pdo[2], re.I)
        _scheme_and_host(board, kind, named_host[1] if named_host else "", f"a PDO address of the driver {pdo[1]}")
        return True
    if re.match(r"\s*\(\s*DESCRIPTION(?:_LIST)?\s*=", text, re.I) or re.match(
        r"[\w.]+\s*=\s*\(\s*DESCRIPTION\s*=", text, re.I
    ):
        board.add("oracle", 7.0, "an Oracle network description")
        return True
    if re.match(rf"{_HOST}:\d+,", body) and re.search(
        r",\s*(?:password|ssl|abortConnect|allowAdmin|connectTimeout|defaultDatabase|user)\s*=", body, re.I
    ):
        host = body.split(":")[0]
        _scheme_and_host(board, "redis", host, "host and options as StackExchange.Redis writes them")
        return True
    found = _PAIRS.findall(body)
    pairs = {re.sub(r"[\s]", "", key).lower(): value.strip().strip("\"'") for key, value in found if key.strip()}
    if (";" in body and len(pairs) >= 2) or (len(pairs) == 1 and _telling_alone(body, pairs)):
        return _key_values(board, pairs)
    words = dict(_WORD_PAIR.findall(text))
    if (
        len(words) >= 2
        and (words.keys() & {"host", "hostaddr", "service"})
        and words.keys() & {"dbname", "user", "password", "port", "sslmode"}
    ):
        port = int(words["port"]) if words.get("port", "").isdigit() else 0
        by_port = [
            kind for kind in board.catalogue.by_port.get(port, ()) if kind in ("mysql", "redis", "mongodb", "mssql")
        ]
        _scheme_and_host(
            board,
            by_port[0] if by_port and "dbname" not in words else "postgresql",
            words.get("host", ""),
            "host and database as libpq writes them",
        )
        return True
    if len(words) == 1 and words.get("dbname") and re.fullmatch(r"\s*dbname\s*=\s*\S+\s*", text):
        board.add("postgresql", 3.0, "dbname, as libpq writes it")
        return True
    if "dbname" in words and len(words) >= 2:
        board.add("postgresql", 4.0, "dbname and more, as libpq writes them")
        return True
    if words.get("bootstrap.servers") or re.match(r"bootstrap[._]servers\s*=", text):
        board.add("kafka", 6.0, "bootstrap servers are Kafka's")
        return True
    return _dotted_setting(board, text)


_DOTTED = re.compile(r"((?:[\w-]+\.)+([\w-]+))\s*[=:]\s*(\S+)")
_ADDRESSES = re.compile(
    r"(?:.*[-_])?(?:hosts?|hostname|servers?|uris?|urls?|addr|address(?:es)?|quorum|nodes|endpoints?|brokers|contact-?points|ensemble|"
    r"connect(?:ion)?|connect-?string|connection-string)"
)
_REACHED = frozenset("relational warehouse nosql cache graph vector search timeseries messaging object-storage".split())


def _dotted_setting(board: Board, text: str) -> bool:
    """`spring.redis.host=cache`, `es.nodes=a,b`: a setting whose name holds a service's and ends in a word for an address."""
    found = _DOTTED.fullmatch(text)
    if not found or not _ADDRESSES.fullmatch(found[2].lower()):
        return False
    for kind in board.catalogue.by_key.get(found[1].lower(), ()):
        board.add(kind, 5.0, f"the setting {found[1]} is one of {board.catalogue.kinds[kind].title}'s")
        return True
    for piece in reversed(found[1].lower().split(".")[:-1]):
        named = board.catalogue.named(piece) if len(piece) > 2 or piece == "es" else None
        if named and named.family in _REACHED:
            board.add(named.id, 3.5, f"the setting {found[1]} points to {named.title}")
            return True
    return False


def _telling_alone(body: str, pairs: dict[str, str]) -> bool:
    return bool(
        pairs.keys()
        & {
            "dsn",
            "filedsn",
            "datasource",
            "driver",
            "provider",
            "accountendpoint",
            "endpoint",
            "bootstrapservers",
            "blobendpoint",
            "usedevelopmentstorage",
        }
    )


def _key_values(board: Board, pairs: dict[str, str]) -> bool:
    keys = pairs.keys()
    server = next(
        (
            pairs[key]
            for key in (
                "server",
                "datasource",
                "host",
                "addr",
                "address",
                "networkaddress",
                "hostname",
                "data source",
                "servername",
                "servernode",
            )
            if key in keys
        ),
        "",
    )
    host = re.sub(r"^(?:tcp|np|lpc|admin):", "", server.lower()).split(",")[0].split("\\")[0].split(":")[0]
    port_word = pairs.get("port", "") or (re.search(r"[,:](\d{2,5})$", server) or ["", ""])[1]
    port = int(port_word) if port_word.isdigit() else 0
    endpoint = pairs.get("endpoint", "")
    if endpoint.lower().startswith("sb://") or ("sharedaccesskeyname" in keys and "hostname" not in keys):
        if "entitypath" in keys or "consumergroup" in keys:
            board.add("eventhubs", 5.0, "a Service Bus endpoint with the path of an event hub")
            board.add("servicebus", 2.0, "a Service Bus endpoint")
        else:
            board.add("servicebus", 5.0, "a Service Bus endpoint")
            board.add("eventhubs", 1.5, "Event Hubs has the same form of address")
        return True
    if "hostname" in keys and pairs["hostname"].lower().endswith("azure-devices.net"):
        board.add("mqtt", 4.0, "an Azure IoT hub")
        return True
    if "accountendpoint" in keys:
        kind = "azure-table" if ".table." in pairs["accountendpoint"] else "cosmosdb"
        board.add(kind, 6.5, "AccountEndpoint is Cosmos DB's")
        return True
    if (
        keys & {"defaultendpointsprotocol", "blobendpoint"}
        or {"accountname", "accountkey"} <= keys
        or "usedevelopmentstorage" in keys
    ):
        only = [name for name in ("queue", "table", "file") if f"{name}endpoint" in keys and "blobendpoint" not in keys]
        kind = (
            {"queue": "azure-queue", "table": "azure-table", "file": "azure-files"}[only[0]]
            if len(only) == 1
            else "azure-blob"
        )
        board.add(kind, 6.0, "the keys of an Azure storage account")
        return True
    if keys & {"instrumentationkey", "ingestionendpoint"}:
        board.add("azure-monitor", 6.0, "the keys of Application Insights")
        return True
    driver = (
        " ".join(pairs.get(key, "") for key in ("driver", "provider", "providername", "dbtype", "type"))
        .strip("{} ")
        .lower()
    )
    if driver and _by_driver(board, driver, pairs, host):
        return True
    if server.strip().upper().startswith("(DESCRIPTION") or re.search(r":1521/|^//", server):
        board.add("oracle", 6.0, "an Oracle address as data source")
        return True
    decided = board.catalogue.host_kind(host) if host else None
    if decided:
        board.add(decided, 6.0, f"the host {host} belongs to {board.catalogue.kinds[decided].title}")
        return True
    if (
        re.search(r":memory:|\.(?:sqlite3?|db3?|s3db)$", pairs.get("datasource", "") + pairs.get("filename", ""), re.I)
        and "initialcatalog" not in keys
    ):
        kind = "duckdb" if "duckdb" in pairs.get("datasource", "") else "sqlite"
        board.add(kind, 5.0, "a data source that is an SQLite file")
        return True
    if re.search(r"\.duckdb$", pairs.get("datasource", ""), re.I):
        board.add("duckdb", 5.5, "a data source that is a DuckDB file")
        return True
    for key in keys:
        for kind in board.catalogue.by_key.get(key, ()):
            board.add(kind, 3.0, f"the key {key} is one of {board.catalogue.kinds[kind].title}'s")
    if {"account", "warehouse"} <= keys or ("account" in keys and "role" in keys):
        board.add("snowflake", 5.0, "account and warehouse are Snowflake's keys")
    for kind in board.catalogue.by_port.get(port, ()):
        board.add(kind, 3.0 if port not in _SHARED_PORTS else 1.0, f"port {port} is its default")
    if keys & {"dsn", "filedsn"} and not board.signals:
        board.add("odbc", 4.0, "a named ODBC data source")
    if not board.signals or not any(signal.weight >= 3 for signal in board.signals):
        if "host" in keys and keys & {"username", "database"} and "server" not in keys:
            board.add("postgresql", 3.0, "Host and Username, as Npgsql writes them")
        elif "server" in keys and keys & {"uid", "pwd"} and "userid" not in keys:
            board.add("mysql", 2.5, "Server, Uid and Pwd, as MySQL's connector writes them")
            board.add("mssql", 1.8, "SQL Server accepts Server, Uid and Pwd too")
        elif keys & {"server", "datasource"} and keys & {"userid", "user", "password", "database"}:
            weight = 3.0 if re.search(r"\\|^\.$|\(local\)|^tcp:|,\d+$|localdb", server, re.I) else 2.2
            if "datasource" in keys and "database" not in keys and "server" not in keys:
                board.add("oracle", 2.6, "Data Source with User Id and no database, as Oracle writes it")
                board.add("mssql", 1.5, "SQL Server accepts Data Source too")
            else:
                board.add("mssql", weight, "Server and Database with User Id, as SQL Server's clients write them")
                board.add("mysql", 1.2, "MySQL's connector accepts Server and Database too")
        elif keys & {"server", "host", "datasource"}:
            board.add("odbc", 0.8, "some data source with a server", weak=True)
    return bool(board.signals)


def _by_driver(board: Board, driver: str, pairs: dict[str, str], host: str) -> bool:
    if (
        "ace.oledb" in driver
        or "jet.oledb" in driver
        or "access driver" in driver
        or "excel driver" in driver
        or "text driver" in driver
    ):
        source = pairs.get("datasource", "") + pairs.get("dbq", "") + pairs.get("extendedproperties", "")
        kind = (
            "xlsx"
            if re.search(r"excel 12|\.xlsx|excel driver \(\*\.xls, \*\.xlsx", source + driver, re.I)
            else "xls"
            if re.search(r"excel|\.xls\b", source + driver, re.I)
            else "csv"
            if re.search(r"\btext\b|\.csv|\.txt", source + driver, re.I) and "mdb" not in driver
            else "access"
        )
        board.add(kind, 5.5, f"the driver {driver} over {kind}")
        return True
    words = sorted((word for word in board.catalogue.by_odbc if word in driver), key=len, reverse=True)
    if words:
        for kind in board.catalogue.by_odbc[words[0]]:
            _scheme_and_host(board, kind, host, f"the driver {driver}")
        return True
    named = board.catalogue.named(driver.split("odbc")[0].strip())
    if named:
        board.add(named.id, 5.0, f"the driver {driver}")
        return True
    for word in re.findall(r"[a-z0-9+]{3,}", driver):
        kind_found = board.catalogue.named(word)
        if kind_found and kind_found.family in (
            "relational",
            "warehouse",
            "nosql",
            "graph",
            "search",
            "timeseries",
            "cache",
            "cloud",
            "database-file",
        ):
            board.add(kind_found.id, 4.0, f"the driver {driver}")
            return True
    if pairs.keys() & {"server", "dsn", "host", "uid", "dbq", "database"}:
        board.add("odbc", 3.0, f"a connection through the driver {driver}")
        return True
    return False


def _url(board: Board, text: str, depth: int) -> bool:
    match = _URL.match(text)
    if (
        not match
        or " " in match[1]
        or (re.search(r"\s", match[2].split("?")[0].split(";")[0]) and match[1].lower() in ("http", "https"))
    ):
        return False
    scheme, rest = match[1].lower(), match[2].strip()
    board.facts["scheme"] = scheme
    authority = re.split(r"[/?#;]", rest, maxsplit=1)[0]
    hosts = authority.rpartition("@")[2]
    host = re.sub(r":\d+$", "", hosts.split(",")[0]).strip("[]").lower()
    port_match = re.search(r":(\d{2,5})(?:,|$)", hosts)
    port = int(port_match[1]) if port_match else 0
    path = rest[len(authority) :]
    if scheme == "file":
        _path(board, unquote(path if not authority or authority == "localhost" else rest), depth)
        return True
    if scheme in ("http", "https") or (
        "+" in scheme
        and scheme.split("+")[-1] in ("http", "https")
        and scheme.split("+")[0] not in board.catalogue.by_scheme
        and scheme not in board.catalogue.by_scheme
    ):
        _http(board, rest, host, port, path)
        return True
    if scheme in ("tcp", "tls", "ssl", "udp", "unix", "tcps"):
        _by_port(board, host, port, 3.5)
        if scheme == "unix" and not board.signals:
            for word, kind in (
                ("docker", "docker"),
                ("mysql", "mysql"),
                ("postgres", "postgresql"),
                ("redis", "redis"),
            ):
                if word in rest:
                    board.add(kind, 3.0, f"a socket called {word}")
        return True
    candidates = [scheme]
    if "+" in scheme:
        candidates += [scheme.split("+")[0], scheme.split("+")[-1]]
    for candidate in candidates:
        kinds = board.catalogue.by_scheme.get(candidate)
        if kinds:
            for kind in kinds:
                kind = _narrowed(kind, scheme, rest, host, port, path)
                _scheme_and_host(board, kind, host, f"the scheme {scheme}://")
            return True
    named = board.catalogue.named(scheme) or board.catalogue.named(scheme.split("+")[0])
    if named:
        board.add(named.id, 3.5, f"the scheme {scheme}:// is a name of {named.title}")
        return True
    board.notes.append(f"no kind has the scheme {scheme}://")
    if port:
        _by_port(board, host, port, 1.5)
    return True


def _narrowed(kind: str, scheme: str, rest: str, host: str, port: int, path: str) -> str:
    """A more exact kind where the rest of the address gives it away."""
    if kind == "mysql" and port == 4000:
        return "tidb"
    if kind == "postgresql" and port == 26257:
        return "cockroachdb"
    if kind == "postgresql" and port == 5439:
        return "redshift"
    if kind == "postgresql" and port == 8812:
        return "questdb"
    if kind == "postgresql" and port == 6875:
        return "materialize"
    if kind == "postgresql" and port == 5433 and "yugabyte" in rest:
        return "yugabytedb"
    if kind == "mysql" and port == 9030:
        return "doris"
    if kind == "postgresql" and port == 4566:
        return "risingwave"
    if kind == "websocket":
        if path.rstrip("/") == "/rpc" and port == 8000:
            return "surrealdb"
        if re.search(r"/gremlin\b", path):
            return "gremlin"
        if re.search(r"/graphql\b", path):
            return "graphql"
        if re.search(r"/mqtt\b", path):
            return "mqtt"
    if kind == "duckdb" and re.match(r"/?md:", rest):
        return "motherduck"
    if kind == "ssh" and (path.endswith(".git") or host in _GIT_HOSTS or rest.startswith("git@")):
        return "git"
    if kind == "jdbc":
        return kind
    return kind


def _by_port(board: Board, host: str, port: int, weight: float) -> None:
    decided = board.catalogue.host_kind(host)
    if decided:
        board.add(decided, 6.0, f"the host {host} belongs to {board.catalogue.kinds[decided].title}")
        return
    kinds = board.catalogue.by_port.get(port, ())
    for place, kind in enumerate(kinds):
        given = min(weight, 1.0) if port in _SHARED_PORTS else weight - (0.8 * place)
        board.add(
            kind,
            given,
            f"port {port} is the default of {board.catalogue.kinds[kind].title}",
            weak=port in _SHARED_PORTS,
        )


_HTTP_PATHS = tuple(
    (re.compile(pattern, re.I), kind, weight)
    for pattern, kind, weight in (
        (r"/EWS/Exchange\.asmx", "exchange", 6.0),
        (r"/api_jsonrpc\.php", "zabbix", 6.0),
        (r"/job/[^/]+/(?:api/json|lastBuild)", "jenkins", 5.0),
        (r"/api/v1/(?:chart|dashboard|dataset)/(?:\?|\d|$)", "superset", 4.5),
        (r"/sdmx(?:-?json)?/|/rest/data/[\w.,@+-]+(?:/|$|\?)", "sdmx", 4.5),
        (r"/search/\?(?:.*&)?yql=", "vespa", 5.0),
        (r"/(?:fhir|baseR[45]|baseDstu[23])/[A-Z][A-Za-z]+(?:[/?]|$)", "fhir", 5.0),
        (r"/graphql(?:[/?]|$)|/gql(?:[/?]|$)|/graphiql", "graphql", 5.0),
        (r"/\$metadata", "odata-metadata", 5.0),
        (r"/odata(?:[/.?]|$)|/_api/web|[?&]\$(?:filter|select|top|expand|orderby)=|\.svc/\w+\(", "odata", 4.5),
        (r"[?&]wsdl\b|\.wsdl$", "wsdl", 5.5),
        (r"\.asmx(?:[/?]|$)|/soap(?:[/?]|$)|\.svc(?:[/?]|$)", "soap", 4.0),
        (r"/sparql(?:[/?]|$)|/\w+\?(?:.*&)?query=(?:select|construct|ask|describe|prefix)", "sparql", 5.0),
        (r"openapi[\w.-]*\.(?:json|ya?ml)|/v3/api-docs|/openapi(?:[/?]|$)", "openapi", 5.0),
        (r"swagger[\w.-]*\.(?:json|ya?ml)|/v2/api-docs", "swagger", 5.0),
        (r"asyncapi[\w.-]*\.(?:json|ya?ml)", "asyncapi", 5.0),
        (r"/atom(?:\.xml)?/?$|\.atom$", "atom", 5.0),
        (r"\.rss$|/rss(?:[/.?]|$)|/feeds?(?:\.xml)?/?(?:\?.*)?$|[?&]feed=rss|/index\.rdf$", "rss", 4.5),
        (r"feed\.json$", "json-feed", 5.0),
        (r"sitemap[\w-]*\.xml(?:\.gz)?$", "sitemap", 5.5),
        (r"/robots\.txt$", "robots-txt", 5.0),
        (r"/arcgis/rest/|/(?:Feature|Map)Server(?:[/?]|$)", "arcgis-rest", 5.0),
        (r"service=wfs\b|/wfs(?:[/?]|$)", "wfs", 5.0),
        (r"service=(?:wms|wcs|wmts)\b|/wms(?:[/?]|$)|/wmts(?:[/?]|$)", "wms", 5.0),
        (r"/xmlrpc(?:\.php)?(?:[/?]|$)|/RPC2$", "xml-rpc", 5.0),
        (r"/json-?rpc(?:[/?]|$)", "json-rpc", 5.0),
        (r"/mcp(?:[/?]|$)", "mcp", 4.5),
        (r"/sse(?:[/?]|$)|/event-?stream|/events/stream", "sse", 4.0),
        (r"/metrics/?$", "prometheus-metrics", 4.5),
        (r"/loki/api/", "loki", 5.5),
        (r"/api/v1/(?:query|query_range|series|labels|targets)\b", "prometheus", 5.0),
        (r"/_(?:search|cat|cluster|bulk|mapping|msearch)(?:[/?]|$)", "elasticsearch", 5.0),
        (r"/solr(?:[/?]|$)", "solr", 5.0),
        (r"/_all_docs|/_changes|/_design/|/_find(?:\?|$)", "couchdb", 5.0),
        (
            r"verb=(?:Identify|ListRecords|ListIdentifiers|ListMetadataFormats|GetRecord|ListSets)|/oai2?(?:\?|$)",
            "oai-pmh",
            5.0,
        ),
        (r"/api/3/action/", "ckan", 5.0),
        (r"/resource/\w{4}-\w{4}(?:\.json|\.csv)?", "socrata", 4.0),
        (r"/render/?\?(?:.*&)?target=|/metrics/find\?", "graphite", 5.0),
        (
            r"/api/v[23]/(?:query|write|buckets|query_sql)(?:[/?]|$).*[?&](?:org|bucket|db)=|/write\?(?:.*&)?db=|/query\?(?:.*&)?db=",
            "influxdb",
            5.0,
        ),
        (r"/services/data/v\d+\.\d+", "salesforce", 5.0),
        (r"/collections/[\w-]+/documents(?:/|\?|$)", "typesense", 4.0),
        (r"/collections/[\w-]+/points(?:/|\?|$)", "qdrant", 4.5),
        (r"/indexes/[\w-]+/(?:search|documents)(?:[/?]|$)", "meilisearch", 3.5),
        (r"/api/v\d/(?:heartbeat|tenants|collections)(?:/|\?|$)", "chroma", 2.0),
        (r"/v1/(?:graphql/?|objects|schema)(?:/|\?|$)", "weaviate", 1.5),
        (r"/api/datasources/proxy/|/api/dashboards/(?:uid|db)/", "grafana", 4.5),
        (r"/api/queues(?:/|$)|/api/exchanges(?:/|$)", "rabbitmq", 4.0),
        (r"/api/put\b|/api/query\?.*\bm=(?:sum|avg|max|min):", "opentsdb", 4.5),
        (r"/select/logsql/|/prometheus/api/v1/(?:export|import)", "victoriametrics", 4.0),
        (r"/wp-json(?:/|$)|/jsonapi(?:/|$)", "rest-api", 4.5),
        (r"/(?:getmap|getcapabilities)\b", "wms", 4.0),
        (r"/webhdfs/v1", "hdfs", 5.5),
        (r"/subjects(?:/|$)", "kafka-schema-registry", 2.0),
        (r"/v1/kv/|/v1/catalog/", "consul", 3.5),
        (r"/db/(?:neo4j|data)/", "neo4j", 4.0),
        (r"/_api/(?:cursor|collection|document)", "arangodb", 5.0),
        (r"/remote\.php/(?:web)?dav|/webdav(?:/|$)", "webdav", 5.0),
        (r"/druid/v2", "druid", 5.0),
        (r"/sql/1\.0/(?:warehouses|endpoints)|/sql/protocolv1", "databricks", 5.0),
        (r"/stac(?:[/?]|$)", "stac", 3.5),
        (r"/remote-?write|/v1/(?:traces|metrics|logs)$", "otlp", 3.5),
        (r"/caldav", "caldav", 4.5),
        (r"/carddav", "carddav", 4.5),
        (r"/onvif/", "ip-camera", 5.0),
        (r"/fhir(?:[/?]|$)", "fhir", 4.0),
    )
)


_SHARED_PATHS = frozenset(
    "graphql soap odata rss socrata elasticsearch stac mcp sse prometheus consul chroma weaviate qdrant meilisearch "
    "typesense influxdb otlp".split()
)
"""What a path says less surely than a host does, for others have such paths too."""


def _http(board: Board, rest: str, host: str, port: int, path: str) -> None:
    board.facts["url"] = True
    decided = board.catalogue.host_kind(host)
    bare = path.split("?")[0].split("#")[0]
    if host in ("docs.google.com",) and "/spreadsheets/" in path:
        decided = "google-sheets"
    if host in ("docs.google.com",) and "/document/" in path:
        decided = "google-drive"
    for pattern, kind, weight in _HTTP_PATHS:
        if pattern.search(path):
            if decided and kind in _SHARED_PATHS and decided not in ("http", "rest-api"):
                break
            board.add(kind, weight, f"the path {_short(bare)}")
            break
    if decided and not board.signals:
        board.add(decided, 6.0, f"the host {host} belongs to {board.catalogue.kinds[decided].title}")
        board.facts["remote"] = True
        return
    if board.signals:
        board.add("rest-api", 1.0, "an address on the web")
        return
    if re.search(r"(?:^|\.)s3[.-][\w.-]*amazonaws\.com(?:\.cn)?$", host):
        board.add("s3", 6.0, f"the host {host} is one of S3's")
        return
    if path.endswith(".git") or bare.endswith(".git/"):
        board.add("git", 5.0, "a repository's address")
        return
    if ".execute-api." in host:
        board.add("rest-api", 6.0, "an API gateway's host")
        return
    if host in _GIT_HOSTS and re.fullmatch(r"/[\w.-]+/[\w.-]+/?", bare):
        board.add("git", 3.0, "a repository's page")
        return
    if port in _HTTP_ONLY_PORTS or (port and port not in _SHARED_PORTS and board.catalogue.by_port.get(port)):
        for place, kind in enumerate(board.catalogue.by_port.get(port, ())):
            if kind == "postgresql":
                continue
            board.add(kind, 3.2 - 1.2 * place, f"port {port} is the default of {board.catalogue.kinds[kind].title}")
        board.add("rest-api", 1.0, "an address on the web")
        return
    last = bare.rsplit("/", 1)[-1]
    kinds, _, wrappings = by_name(board.catalogue, last)
    query_format = re.search(r"[?&](?:format|output|outputformat|f|type)=(\w+)", path, re.I)
    file_kinds = [
        kind for kind in kinds if board.catalogue.kinds[kind].family in _DATA_EXTENSIONS or kind in ("pdf", "html")
    ]
    api = re.search(r"(?:^|\.)(?:api|rest|gateway|graph|data-api)\d*[.-]", host) or re.search(
        r"/(?:api|rest|v\d+(?:\.\d+)?|ws|services?|jsonapi|wp-json)(?:/|$|\?)", path, re.I
    )
    if (api or port) and (called := _called(board, host)):
        board.add(called, 3.8, f"the host is called {host}")
        board.add("rest-api", 1.5, "an address on the web")
        return
    if file_kinds and not (api and file_kinds[0] == "json"):
        board.add(file_kinds[0], 3.5, f"the file name {_short(last)} in the address")
        board.add("http", 1.0, "an address on the web")
        board.wrappings.extend(wrappings)
        board.facts["remote"] = True
        return
    if query_format and not api and query_format[1].lower() in board.catalogue.by_extension:
        kind = board.catalogue.by_extension[query_format[1].lower()][0]
        if kind != "json":
            board.add(kind, 2.5, f"the query asks for {query_format[1]}")
            board.facts["remote"] = True
    if api or file_kinds:
        board.add("rest-api", 3.5, "the address has the shape of an API" if api else "JSON at an address on the web")
        board.add("http", 1.0, "an address on the web")
        return
    if query_format and query_format[1].lower() in ("json", "geojson"):
        board.add("rest-api", 3.0, f"the query asks for {query_format[1]}")
        return
    if bare.lower().endswith((".html", ".htm", ".php", ".aspx", ".jsp")):
        board.add("html", 3.0, f"the page {_short(last)}")
        board.add("http", 1.0, "an address on the web")
        return
    board.add("http", 2.8, "an address on the web")
    board.add("rest-api", 1.6, "which may be an API")
    board.add("html", 1.0, "or a page")


_SPECIAL = tuple(
    (re.compile(pattern, re.I), kind, weight, words)
    for pattern, kind, weight, words in (
        (
            r"//(?:bigquery)\.googleapis\.com/\S+|projects/[\w-]+/datasets/\S+|bq:\S+",
            "bigquery",
            6.0,
            "a BigQuery resource name",
        ),
        (r"projects/[\w-]+/(?:topics|subscriptions)/\S+", "pubsub", 6.0, "a Pub/Sub resource name"),
        (r"projects/[\w-]+/instances/[\w-]+/databases/\S+", "spanner", 6.0, "a Spanner resource name"),
        (r"projects/[\w-]+/instances/[\w-]+/tables/\S+", "bigtable", 6.0, "a Bigtable resource name"),
        (r"projects/[\w-]+/databases/\S+", "firestore", 5.0, "a Firestore resource name"),
        (
            r"(?!sqlite|duckdb|ubuntu|debian|python|[a-z]+:\d)[a-z][a-z0-9-]{4,}:[a-z_]\w*\.\w+",
            "bigquery",
            2.2,
            "project:dataset.table, as BigQuery writes it",
        ),
        (r"bigquery-public-data\.\w+(?:\.[\w*]+)?", "bigquery", 5.0, "one of BigQuery's public data sets"),
        (r"(?:https?|tcps?)::addr=\S+", "questdb", 5.5, "a client's settings, as QuestDB writes them"),
        (r"(?:\d{1,3}\.){3}\d{1,3}:/\S+", "nfs", 3.0, "host:/path, as an NFS mount writes it"),
        (r"[A-Za-z][\w.-]*::[\w.-]+/\S*", "rsync", 3.0, "host::module/path, as rsync writes it"),
        (r"[\w-]+/[\w-]+:[\w-]+:[\w-]+", "postgresql", 0.5, "perhaps a Cloud SQL instance"),
        (r"\\\\[\w-]+\.file\.core\.windows\.net\\.*", "azure-files", 6.0, "a share of Azure Files"),
        (r"/dbfs/\S+", "dbfs", 3.5, "a path under /dbfs"),
        (r"md:", "motherduck", 3.5, "md: alone is all of MotherDuck"),
        (r"(?:remote|plocal):[\w./-]+/\w+", "orientdb", 4.0, "an OrientDB address"),
        (r"\\\\[\w.-]+\\[\w$. -]+(?:\\.*)?", "smb", 3.0, "a Windows share"),
        (r"//[A-Za-z][\w.-]*/[\w$.-]+(?:/[\w$. -]+)*/?", "smb", 3.0, "a share, as mount.cifs writes it"),
        (r"/dev/(?:tty|cu\.)[\w.-]+|COM\d{1,2}", "serial-port", 4.0, "a serial port"),
        (r"spBv1\.0/\S+", "sparkplug", 5.0, "a Sparkplug topic"),
        (r"hg::\S+", "mercurial", 4.0, "a Mercurial remote"),
    )
)


def _special_forms(board: Board, text: str, depth: int) -> bool:
    if text.lower().startswith("arn:"):
        parts = text.split(":")
        kind = _ARNS.get(parts[2].lower()) if len(parts) >= 6 else None
        if kind:
            if parts[2] == "elasticache" and "memcached" in text:
                kind = "memcached"
            if parts[2] == "sns":
                kind = "sns"
            board.add(kind, 6.0, f"an ARN of the service {parts[2]}")
        elif len(parts) > 2 and parts[2] == "rds":
            board.add("postgresql", 0.6, "an RDS instance, of an engine that the ARN does not tell", weak=True)
            board.add("mysql", 0.6, "an RDS instance, of an engine that the ARN does not tell", weak=True)
        else:
            board.refuse("an ARN of a service that holds no data known here")
        return True
    if _GO_MYSQL.fullmatch(text):
        board.add("mysql", 6.0, "user@tcp(host)/database, as Go's MySQL driver writes it")
        return True
    if _EZCONNECT.fullmatch(text) and "." not in text.split("@")[0].split("/")[0]:
        board.add("oracle", 4.5, "user/password@host/service, as Oracle writes it")
        return True
    if " " not in text and _WINDOWS.match(text) is None:
        for pattern, kind, weight, words in _SPECIAL:
            if pattern.fullmatch(text):
                board.add(kind, weight, words)
                return True
    opaque = _OPAQUE.fullmatch(text)
    if opaque and not re.fullmatch(r"[\w.-]+:\d+(?:/.*)?", text) and " " not in opaque[1]:
        scheme, rest = opaque[1].lower(), opaque[2]
        if scheme in (
            "sqlite",
            "duckdb",
            "md",
            "dbfs",
            "ducklake",
            "file",
            "sip",
            "sips",
            "xmpp",
            "magnet",
            "data",
            "dat",
            "h2",
            "derby",
            "hsqldb",
            "chdb",
            "uc",
            "matrix",
            "webcal",
            "lancedb",
            "delta",
        ):
            if scheme == "file":
                if re.search(r"[?&](?:mode=(?:ro|rwc?|memory)|cache=(?:shared|private)|immutable=1|vfs=)", rest):
                    board.add("sqlite", 5.5, "a file address with SQLite's parameters")
                    return True
                _path(board, rest, depth)
                return True
            kinds = board.catalogue.by_scheme.get(scheme, ())
            for kind in kinds:
                board.add(
                    "motherduck" if kind == "duckdb" and rest.startswith("md:") else kind,
                    5.5,
                    f"an address that begins {scheme}:",
                )
            return bool(kinds)
        if scheme in ("s3", "gs", "abfss") and rest.startswith("/"):
            for kind in board.catalogue.by_scheme[scheme]:
                board.add(kind, 3.0, f"an address that begins {scheme}:")
            return True
        if scheme == "failover":
            board.add("activemq", 5.5, "a failover address")
            return True
    return False


def _command(board: Board, text: str, depth: int) -> bool:
    """A line for the shell: the client names the server."""
    if " " not in text:
        return False
    words = text.split()
    while words and (
        words[0] in ("sudo", "$", ">", "time", "nohup", "env", "%", "!") or re.fullmatch(r"[A-Z_]+=\S*", words[0])
    ):
        hint = words.pop(0)
        if "=" in hint:
            _env_hint(board, hint.split("=")[0])
    if len(words) < 2:
        return bool(board.signals)
    tool = words[0].rsplit("/", 1)[-1].lower().removesuffix(".exe")
    arguments = words[1:]
    if tool in ("docker", "podman", "kubectl") and len(arguments) > 1 and arguments[0] in ("exec", "run", "compose"):
        inner = next(
            (place for place, word in enumerate(arguments) if word in board.catalogue.by_command and place > 0), None
        )
        if inner is not None and inner < len(arguments) - 1:
            return _command(board, " ".join(arguments[inner:]), depth + 1)
        if arguments[0] == "run":
            board.refuse("a command that starts a container")
            return True
    if tool in ("docker", "podman") and arguments[0] in ("logs", "events", "stats", "inspect", "ps", "top"):
        board.add("docker", 4.5, f"{tool} {arguments[0]} asks the engine")
        return True
    if tool == "git":
        target = next((word for word in arguments if "://" in word or _SCP.fullmatch(word)), None)
        if target or arguments[0] in ("clone", "remote", "pull", "fetch", "push", "ls-remote"):
            if arguments[0] == "remote" or (target and target.startswith("git@")):
                board.refuse("a git remote, which is a way to code rather than to data")
            elif target or arguments[0] in ("clone", "ls-remote"):
                board.add("git", 5.0, "a git command")
            else:
                board.refuse("a git command that names no repository")
            return True
        return False
    if tool == "mount" and "-t" in arguments[:-1]:
        kind = {"nfs": "nfs", "nfs4": "nfs", "cifs": "smb", "smb3": "smb", "davfs": "webdav"}.get(
            arguments[arguments.index("-t") + 1]
        )
        if kind:
            board.add(kind, 5.0, f"a mount of the type {kind}")
            return True
    if tool == "aws" and arguments:
        service = next((word for word in arguments if not word.startswith("-") and word in _AWS_COMMANDS), None)
        if service:
            board.add(_AWS_COMMANDS[service], 5.5, f"the AWS command line for {service}")
            return True
        return False
    if tool == "gcloud":
        for word, kind in (
            ("storage", "gcs"),
            ("pubsub", "pubsub"),
            ("spanner", "spanner"),
            ("bigtable", "bigtable"),
            ("firestore", "firestore"),
            ("logging", "cloudwatch"),
        ):
            if word in arguments and kind != "cloudwatch":
                board.add(kind, 5.0, f"gcloud {word}")
                return True
    if tool == "az" and arguments[0] in ("storage", "cosmosdb", "sql", "eventhubs", "servicebus"):
        service_kind = {
            "cosmosdb": "cosmosdb",
            "sql": "mssql",
            "eventhubs": "eventhubs",
            "servicebus": "servicebus",
        }.get(arguments[0])
        if service_kind is None:
            service_kind = {
                "blob": "azure-blob",
                "container": "azure-blob",
                "queue": "azure-queue",
                "table": "azure-table",
                "file": "azure-files",
                "fs": "adls",
            }.get(arguments[1] if len(arguments) > 1 else "", "azure-blob")
        board.add(service_kind, 5.0, f"the Azure command line for {arguments[0]}")
        return True
    if tool in ("curl", "wget", "http", "https", "xh", "httpie", "fetch"):
        target = next((_unquoted(word) for word in arguments if "://" in word), None)
        if target is None and tool in ("curl", "wget") and arguments[-1].count(".") >= 1 and not _PROSE.search(text):
            target = "http://" + _unquoted(arguments[-1])
        if target is None:
            return False
        read_string(board, target, depth + 1)
        if re.search(r"application/json|-X POST.*graphql|\"query\"", text) and board.best()[0] == "http":
            board.add("rest-api", 3.0, "the command asks for JSON")
        return True
    if tool == "openssl" and "-connect" in arguments[:-1]:
        read_string(board, arguments[arguments.index("-connect") + 1], depth + 1)
        return True
    if tool == "wrangler" and arguments[0] == "d1":
        board.add("d1", 5.0, "wrangler d1")
        return True
    if tool == "db2" and arguments[0] in ("connect", "list", "describe", "-tvf", "export"):
        board.add("db2", 4.5, f"db2 {arguments[0]}")
        return True
    kinds = board.catalogue.by_command.get(tool, ())
    if not kinds:
        target = next((word for word in map(_unquoted, arguments) if re.match(r"jdbc:\w|[a-z][\w+.-]*://", word)), None)
        if target and not _PROSE.search(text) and not target.startswith("http"):
            read_string(board, target, depth + 1)
            return True
        return False
    telling = any(
        word.startswith("-") or "://" in word or "@" in word or "=" in word or re.search(r"\w[.:]\w|/", word)
        for word in arguments
    )
    # A tool that is no product's name, like promtool, is not a word of a sentence.
    if not telling and (_PROSE.search(text) or (len(arguments) > 1 and (board.catalogue.named(tool) or len(tool) < 5))):
        return False
    if tool in ("nc", "telnet"):
        read_string(board, ":".join(arguments[:2]), depth + 1)
        return True
    inner_text = next(
        (
            _unquoted(word)
            for word in re.findall(r"\"[^\"]*\"|'[^']*'|\S+", text)[1:]
            if "://" in word or word.startswith("jdbc:") or ("=" in word and " " in word)
        ),
        None,
    )
    for kind in kinds:
        board.add(kind, 4.5, f"{tool} is a client of {board.catalogue.kinds[kind].title}")
    if inner_text and depth < 3:
        inner_board = Board(board.catalogue)
        read_string(inner_board, inner_text, depth + 1)
        board.signals.extend(inner_board.signals)
        board.facts.update(inner_board.facts)
    else:
        host = re.search(r"(?:-h|--host|-H|--hostname|-S|--server)[ =]?([\w.-]+)", text)
        decided = board.catalogue.host_kind(host[1]) if host else None
        if decided and kinds[0] in board.catalogue.ancestors(decided):
            board.add(
                decided, 6.0, f"the host {host[1] if host else ''} belongs to {board.catalogue.kinds[decided].title}"
            )
    return True


def _traps(board: Board, text: str, depth: int) -> bool:
    """Things that look like addresses and are none."""
    if re.fullmatch(r"\S+@sha256:[0-9a-f]{16,}", text):
        board.refuse("the name of a container image")
        return True
    scp = _SCP.fullmatch(text)
    if scp:
        if scp[1].endswith(".git") or text.startswith("git@") or any(host in text for host in _GIT_HOSTS):
            board.refuse("a git remote, which is a way to code rather than to data")
        else:
            board.add("scp", 2.5, "user@host:path, as scp writes it")
        return True
    for pattern, words in _TRAPS:
        if pattern.fullmatch(text):
            board.refuse(words)
            return True
    if _WINDOWS.match(text):
        board.refuse("a Windows path, which this machine cannot open")
        return True
    match = _HOST_PORT.fullmatch(text)
    if _IMAGE_TAG.fullmatch(text) and not (match and not match[3] and _plausible(board, match[1], int(match[2]))):
        board.refuse("the name of a container image")
        return True
    if _SQL_TEXT.match(text) and " " in text:
        board.refuse("SQL text rather than an address")
        return True
    if " " in text and not re.match(r"[./~]", text):
        words_found = text.split()
        if len(words_found) >= 3 and (len(_PROSE.findall(text)) >= 1 or not re.search(r"[/\\=:]|\.\w{1,8}$", text)):
            board.refuse("words rather than an address")
            return True
        if not re.search(r"\.\w{1,8}$", text):
            board.refuse("words rather than an address")
            return True
    return False


def _plausible(board: Board, host: str, port: int) -> bool:
    """A host and a port rather than an image and its tag: a port that some service has, and not a small number after a word."""
    if board.catalogue.host_kind(host.lower()):
        return True
    if port >= 1024 and re.fullmatch(r"(?:[\w-]+\.){2,}[a-z]{2,}|(?:\d+\.){3}\d+", host, re.I):
        return True
    return port in board.catalogue.by_port and (port >= 100 or "." in host)


def _hosts(board: Board, text: str, depth: int) -> bool:
    """Lists of host:port, and hosts whose name alone decides."""
    body = text.split("?")[0]
    pieces = [piece.strip() for piece in re.split(r"[,\s]+", body) if piece.strip()]
    matches = [_HOST_PORT.fullmatch(piece) for piece in pieces]
    if pieces and all(matches):
        first = matches[0]
        assert first is not None
        host, port = first[1].lower(), int(first[2])
        decided = board.catalogue.host_kind(host)
        if decided:
            board.add(decided, 6.0, f"the host {host} belongs to {board.catalogue.kinds[decided].title}")
            return True
        plausible = "." in host or host == "localhost" or "-" in host or host.startswith("[") or host.isalnum()
        if not plausible or re.fullmatch(r"\d+", host):
            return False
        kinds = board.catalogue.by_port.get(port, ())
        named = [
            kind
            for kind in kinds
            if any(name in host for name in (kind, *board.catalogue.kinds[kind].aliases) if len(name) > 2)
        ]
        for place, kind in enumerate(kinds):
            weight = 1.2 if port in _SHARED_PORTS else 2.8 - 0.7 * place
            board.add(
                kind,
                weight,
                f"port {port} is the default of {board.catalogue.kinds[kind].title}",
                weak=port in _SHARED_PORTS,
            )
            if kind in named:
                board.add(kind, 1.5, f"and the host is called {host}")
            if len(pieces) > 1 and kind in (
                "kafka",
                "zookeeper",
                "memcached",
                "etcd",
                "cassandra",
                "elasticsearch",
                "mongodb",
            ):
                board.add(kind, 1.5, "and there is a list of them")
        if not kinds and (called := _called(board, host)):
            board.add(called, 2.2, f"the host is called {host}")
        elif not kinds:
            board.notes.append(f"a host and port {port}, which is nobody's default")
        return True
    if _BARE_HOST.fullmatch(text):
        host = re.split(r"[:/]", text, maxsplit=1)[0].lower()
        decided = board.catalogue.host_kind(host)
        if decided:
            board.add(decided, 5.0, f"the host {host} belongs to {board.catalogue.kinds[decided].title}")
            return True
        path = text[len(host) :]
        if path.startswith("/") and host.split(".")[-1] not in board.catalogue.by_extension:
            _http(board, text, host, 0, path)
            return True
    return False


def _called(board: Board, host: str) -> str | None:
    """The kind that a label of the host, or a part of one, is the name of."""
    for word in re.split(r"[.-]", host.lower()):
        named = board.catalogue.named(word) if len(word) > 3 else None
        if named and named.family in _REACHED:
            return named.id
    return None


def _path(board: Board, text: str, depth: int) -> bool:
    """A file that is not there: its name is evidence, and not more."""
    name = text.rstrip("/").rsplit("/", 1)[-1]
    if any(mark in name for mark in "*?[") and not re.search(r"\s|^\?|=", name):
        kinds, part, _ = by_name(board.catalogue, name)
        board.add("glob", 3.0, "a pattern of file names")
        if kinds:
            board.facts["member_kind"] = kinds[0]
        return True
    if re.search(r"/\w+=[^/]+(?:/|$)", text):
        board.add("partitioned", 2.5, "a path with key=value folders, as Hive writes them")
        return True
    kinds, part, wrappings = by_name(board.catalogue, name)
    if "/" not in text and "." not in name:
        return False
    if kinds and (
        re.search(r"[A-Za-z0-9_]", name[: max(1, len(name) - len(part))])
        or name.lower() in board.catalogue.by_file_name
    ):
        board.wrappings.extend(wrappings)
        for place, kind in enumerate(kinds):
            board.add(kind, 1.6 if place == 0 else 0.8, f"the name ends in {part}", weak=True)
        board.facts["missing"] = True
        return True
    if text.startswith(("/", "./", "../", "~")) or (depth == 0 and "/" in text):
        board.notes.append("a path whose name tells nothing")
        board.facts["missing"] = True
    return bool(board.signals)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
