"""What answers: an HTTP response read as a structure, a service's greeting, or the body of a message."""

from __future__ import annotations

import re

from synth.detect_files import read_bytes
from synth.detect_score import Board
from synth.detect_text import read_text

HTTP_PORTS = frozenset(
    {4200, 7474, 5984, 6333, 7700, 8108, 8123, 8200, 8428, 8500, 8529, 8983, 9200, 2480, 3100, 4080, 4242, 6041, 8086}
    | {9090, 6443, 8091, 8182, 9870, 15672, 19530, 2379, 4151, 4161, 8222, 50070}
)
"""Ports that one product has for HTTP and few others use."""
_STATUS = re.compile(rb"HTTP/(\d(?:\.\d)?) (\d{3})[^\r\n]*\r?\n")


def read_payload(board: Board, data: bytes, port: int | None = None) -> None:
    """Put on the board what these bytes are, as they came from a service; `port` is a hint where it is known."""
    status = _STATUS.match(data)
    if not data:
        board.notes.append("nothing was said")
    elif status:
        _response(board, data, int(status[2]))
    elif headers := re.match(rb"(?:[A-Za-z][\w-]*: [^\r\n]*\r?\n){2,}\r?\n", data):
        if re.search(rb"(?mi)^(?:content-type|server|content-length):", headers[0]) and not re.search(
            rb"(?mi)^(?:from|subject):", headers[0]
        ):
            _response(board, b"HTTP/1.1 200 OK\r\n" + data, 200)
        else:
            _body(board, data)
    else:
        if data.startswith(b"RFB 0"):
            board.refuse("a remote desktop's greeting")
            return
        _greeting(board, data, port)
        if board.best()[1] < 4.5:
            _body(board, data)
            # A short line that is merely readable is an unknown greeting, not a text file.
            board.signals = [signal for signal in board.signals if signal.kind != "text" or signal.weight > 2.4]
    if port is not None:
        for place, kind in enumerate(board.catalogue.by_port.get(port, ())):
            agreed = board.strength(kind) > 0
            if status and not agreed and place == 0 and port in HTTP_PORTS:
                # What answers in JSON at a port that one product has for HTTP is more likely it than some other API.
                board.add(
                    kind, 4.4, f"HTTP at port {port}, the default of {board.catalogue.kinds[kind].title}", weak=True
                )
                continue
            board.add(
                kind,
                1.5 if agreed else 1.0 - 0.4 * min(place, 1),
                f"port {port} is the default of {board.catalogue.kinds[kind].title}",
                weak=True,
            )


# Greetings

_GREETINGS = tuple(
    (re.compile(pattern, re.S), kind, weight, words)
    for pattern, kind, weight, words in (
        (rb"SSH-\d\.\d+-", "ssh", 7.0, "an SSH identification"),
        (
            rb"220[- ][^\r\n]*(?:E?SMTP|Postfix|Exim|sendmail|mail|MAIL|Haraka|LMTP)[^\r\n]*",
            "smtp",
            6.0,
            "an SMTP greeting",
        ),
        (
            rb"250[- ][^\r\n]*\r\n250[- ](?:PIPELINING|SIZE|STARTTLS|8BITMIME|AUTH|ENHANCEDSTATUSCODES)",
            "smtp",
            6.5,
            "an answer to EHLO",
        ),
        (
            rb"220[- ][^\r\n]*(?:FTP|vsFTPd|ProFTPD|FileZilla|Pure-FTPd|pyftpdlib|ftpd)[^\r\n]*",
            "ftp",
            6.5,
            "an FTP greeting",
        ),
        (rb"220-{3,}[^\r\n]*Welcome to Pure-FTPd", "ftp", 7.0, "an FTP greeting"),
        (rb"(?:211|215|530|331) [^\r\n]*(?:UNIX|Please login|password|Features|FTP)", "ftp", 4.5, "an FTP answer"),
        (rb"220[- ]", "ftp", 1.6, "a greeting with code 220"),
        (
            rb"\* (?:OK|PREAUTH|BYE)\b[^\r\n]*(?:IMAP|Dovecot|CAPABILITY|Courier|Cyrus|ready)",
            "imap",
            6.5,
            "an IMAP greeting",
        ),
        (rb"\* (?:OK|PREAUTH)\b", "imap", 4.5, "an untagged OK"),
        (rb"\* CAPABILITY IMAP4", "imap", 7.0, "IMAP capabilities"),
        (rb"\+OK[^\r\n]*(?:POP|Dovecot|ready|<[^>]+@[^>]+>|mailbox|Qpopper|server)", "pop3", 6.0, "a POP3 greeting"),
        (rb"-?\+?(?:OK|ERR) \[?(?:AUTH|SYS|IN-USE|LOGIN-DELAY)", "pop3", 4.6, "a POP3 answer"),
        (rb"20[01] [^\r\n]*(?:NNTP|InterNetNews|news|INN|posting)", "nntp", 6.0, "an NNTP greeting"),
        (
            rb"-NOAUTH |-ERR wrong number of arguments|-DENIED Redis|-WRONGPASS|-ERR unknown command|-MISCONF|-LOADING|-MOVED \d|-READONLY",
            "redis",
            6.5,
            "a Redis error",
        ),
        (rb"\+PONG\r\n", "redis", 6.0, "+PONG"),
        (rb"\+OK\r\n$", "redis", 3.0, "+OK"),
        (rb"\$\d+\r\n(?:# Server\r\n)?redis_version:|\$\d+\r\n# Server\r\nredis_version", "redis", 7.0, "Redis' INFO"),
        (rb"\$\d+\r\n# Server\r\n(?:valkey|server_name:valkey)", "valkey", 7.0, "Valkey's INFO"),
        (rb"[*%]\d+\r\n[$+:]\w*[^\r\n]*\r\n", "redis", 4.6, "a RESP array"),
        (rb"\$-?\d+\r\n", "redis", 3.5, "a RESP string"),
        (rb"VERSION \d+\.\d+[^\r\n]*\r\n", "memcached", 6.5, "memcached's VERSION"),
        (rb"STAT (?:pid|uptime|version|items|curr_) ?", "memcached", 6.5, "memcached's STAT"),
        (rb"(?:STORED|NOT_FOUND|VALUE \S+ \d+ \d+|ERROR)\r\n", "memcached", 3.5, "a memcached answer"),
        (rb"AMQP\x00\x00\x09\x01|AMQP\x01\x01", "rabbitmq", 6.5, "an AMQP 0-9-1 header"),
        (rb"\x01\x00\x00....\x00\x0a\x00\x0a", "rabbitmq", 6.5, "AMQP's connection.start"),
        (rb"AMQP[\x00\x02\x03]\x01\x00\x00", "amqp1", 6.5, "an AMQP 1.0 header"),
        (rb"\x20\x02[\x00\x01][\x00-\x05]$", "mqtt", 6.5, "MQTT's CONNACK"),
        (rb"\x20[\x03-\x7f][\x00\x01][\x00-\x05\x80-\x9f]", "mqtt", 5.0, "MQTT 5's CONNACK"),
        (rb"\x30.{0,3}\x00[\x01-\x40][\w/+-]", "mqtt", 3.0, "MQTT's PUBLISH"),
        (rb"INFO \{[^\r\n]*\"server_id\"", "nats", 7.5, "NATS' INFO"),
        (rb"-ERR 'Unknown Protocol Operation'|-ERR 'Authorization Violation'", "nats", 6.5, "a NATS error"),
        (rb"(?:CONNECTED|ERROR)\r?\n(?:[\w-]+:[^\n]*\n)+\r?\n?", "stomp", 6.0, "a STOMP frame"),
        (rb"MESSAGE\r?\n(?:[\w-]+:[^\n]*\n)+", "stomp", 5.5, "a STOMP frame"),
        (rb"\w{4} is not executed because it is not in the whitelist", "zookeeper", 7.0, "ZooKeeper's refusal"),
        (rb"\* BYE\b", "imap", 4.6, "an untagged BYE"),
        (rb"imok$", "zookeeper", 6.5, "imok"),
        (
            rb"Zookeeper version: |zk_version\t|This ZooKeeper instance is not currently serving|clientPort=",
            "zookeeper",
            7.0,
            "ZooKeeper's four-letter answer",
        ),
        (rb"RTSP/\d\.\d ", "rtsp", 7.0, "an RTSP status line"),
        (rb"SIP/2\.0 ", "sip", 7.0, "a SIP status line"),
        (rb"@RSYNCD: ", "rsync", 7.0, "rsync's greeting"),
        (rb"\( success \( ", "subversion", 7.0, "Subversion's greeting"),
        (
            rb"[0-9a-f]{4}(?:# service=git-|[0-9a-f]{40} (?:HEAD|refs/)|version [12])|[0-9a-f]{4}ERR ",
            "git",
            6.5,
            "a Git packet line",
        ),
        (rb"<stream:stream|<\?xml[^>]*\?>\s*<stream:stream", "xmpp", 7.0, "an XMPP stream"),
        (rb":[^\s]+ (?:NOTICE|\d{3}) ", "irc", 5.5, "an IRC line"),
        (rb"NOTICE AUTH :|ERROR :Closing Link", "irc", 5.5, "an IRC notice"),
        (rb"Tarantool \d", "tarantool", 7.0, "Tarantool's greeting"),
        (rb"\x00RES\x00\x00", "gearman", 6.5, "a Gearman answer"),
        (
            rb"(?:OK \d+\r\n---\n|INSERTED \d+|RESERVED \d+|UNKNOWN_COMMAND\r\n|BAD_FORMAT\r\n|USING )",
            "beanstalkd",
            6.0,
            "a beanstalkd answer",
        ),
        (rb"\x00\x00\x00[\x00-\x0f]\x00\x00\x00[\x00-\x0c]OK$", "nsq", 6.0, "an NSQ frame"),
        (rb"BOLT|\x00\x00[\x00-\x09][\x03-\x05]$", "neo4j", 5.0, "Bolt's chosen version"),
        (rb"\x00.\xb1p", "neo4j", 6.0, "a Bolt success message"),
        (rb"[\x82-\x85][\x00-\x3f]?\x00{1,2}.?[\x00\x02\x03\x06\x08]\x00\x00", "cassandra", 5.0, "a CQL frame"),
        (rb"[\x84\x83\x85]\x00\x00\x00[\x06\x00\x02]", "cassandra", 6.0, "a CQL frame"),
        (rb"0[\x81-\x84]?.{1,4}\x02\x01.[\x61\x65\x64\x78]", "ldap", 5.5, "an LDAP message"),
        (rb"0[\x0c-\x7f]\x02\x01[\x00-\x0f]\x61", "ldap", 6.5, "an LDAP bind answer"),
        (rb"0.{1,3}\x02\x01[\x00\x01]\x04.", "snmp", 6.0, "an SNMP message"),
        (rb"PRI \* HTTP/2|\x00\x00[\x00-\xff]\x04\x00\x00\x00\x00\x00", "grpc", 4.0, "HTTP/2 settings"),
        (rb"\x00\x00\x00[\x00-\x08]\x04\x00\x00\x00\x00", "grpc", 3.0, "HTTP/2 settings"),
        (rb"\xff[\xfb-\xfe].", "telnet", 6.0, "Telnet options"),
        (rb"..\x00\x00\x00[\x05-\xff].[\x01-\x18]", "modbus", 4.0, "a Modbus header"),
        (rb"(?:ACK|HEL|ERR|OPN|MSG)F.{4}", "opcua", 6.5, "an OPC UA message"),
        (rb"\x03\x00\x00.\x02\xf0\x80\x32", "s7", 7.0, "an S7 message"),
        (rb"\x03\x00\x00.[\x05-\x20]\xd0", "s7", 4.5, "an ISO-on-TCP confirmation"),
        (rb"\x68[\x04-\xfd][\x00-\xff]{4}", "iec104", 3.5, "an IEC 104 frame"),
        (rb"\x68\x04[\x0b\x23\x83]\x00\x00\x00", "iec104", 7.0, "an IEC 104 frame"),
        (rb"\x00[\x00-\xff]\x00[\x00-\x20]\x00\x00\x00\x00", "ethernet-ip", 2.0, "an encapsulation header"),
        (rb"[ce]\x00[\x00-\xff]\x00", "ethernet-ip", 3.0, "an encapsulation header"),
        (rb"\x81\x0a\x00.\x01", "bacnet", 6.5, "a BACnet/IP packet"),
        (rb"\x05\x64[\x05-\xff]", "dnp3", 6.0, "a DNP3 frame"),
        (rb"[\x50-\x7f][\x40-\xa5]..(?:.{0,8}\xff|$)", "coap", 3.5, "a CoAP answer"),
        (rb"\x0b?MSH\|\^~\\&", "hl7", 7.5, "an HL7 message"),
        (rb"8=FIX", "fix", 7.0, "a FIX message"),
        (rb"ZBXD[\x01\x03]", "zabbix", 7.0, "a Zabbix header"),
        (
            rb"\x04\x01[\x00-\xff]{2}.*(?:Login failed|SQL Server)|\x04\x01\x00.\x00\x00.\x00\x00\x00\x1a",
            "mssql",
            6.5,
            "a TDS answer",
        ),
        (rb"\x04\x01\x00[\x10-\x80]\x00\x00\x01\x00\x00\x00", "mssql", 6.5, "a TDS prelogin answer"),
        (
            rb"\x00.\x00\x00[\x02\x04\x05\x0b]\x00\x00\x00.*(?:DESCRIPTION|\(ERR|VSNNUM)",
            "oracle",
            7.0,
            "an Oracle TNS answer",
        ),
        (rb"\x00.\x00\x00[\x02\x04\x05]\x00\x00\x00\x01", "oracle", 5.5, "an Oracle TNS packet"),
        (rb"\(DESCRIPTION=.*VSNNUM", "oracle", 6.5, "an Oracle listener's answer"),
        (rb"..\xd0[\x01-\x03].{2}..\x24\x1c|..\xd0.\x00\x01..\x14\x43", "db2", 6.5, "a DRDA answer"),
        (rb"\x00\x00\x00\x03\x00\x00\x00[\x08-\x10]\x00\x00\x00", "firebird", 4.6, "a Firebird answer"),
        (rb"\x00[\x00-\x10](?:ClickHouse|[\x0a]ClickHouse)", "clickhouse", 7.0, "ClickHouse's hello"),
        (rb"\x02.{1,8}(?:Code: \d+|DB::Exception)", "clickhouse", 6.0, "a ClickHouse exception"),
        (rb"[\x00]\x0aClickHouse", "clickhouse", 7.5, "ClickHouse's hello"),
        (rb"[\w.-]+:(?:mserver|merovingian):\d+:", "monetdb", 7.0, "MonetDB's challenge"),
        (rb"<200>|<\d{1,3}>\w", "syslog", 2.0, "a syslog priority"),
        (rb"\xfeSMB|\x00\x00..\xfeSMB|\x00...\xffSMB", "smb", 7.0, "an SMB header"),
        (rb"\x03[\x00-\xff]{8,}.{0,1500}$", "rtmp", 1.0, "RTMP's first byte"),
        (rb"TSH[ M]", "ibm-mq", 7.0, "IBM MQ's header"),
        (rb"\x00{0,3}.?.?.?ActiveMQ|....\x01ActiveMQ", "activemq", 7.0, "an OpenWire greeting"),
        (rb"\x00\x00\x00.\x01ActiveMQ", "activemq", 7.5, "an OpenWire greeting"),
        (rb"\xff\x00\x00\x00\x00\x00\x00\x00.\x7f", "zeromq", 7.0, "a ZMTP greeting"),
        (rb"\x00SP\x00\x00.\x00\x00", "zeromq", 4.0, "a nanomsg greeting"),
        (
            rb"SUCCESS$|Server: RethinkDB|\{\"max_protocol_version\":0,.*\"server_version\":\"\d\.\d\.\d\",\"success\":true\}",
            "rethinkdb",
            5.5,
            "RethinkDB's handshake",
        ),
        (rb"TIMETAG |HZC\x01|\x00\x00\x00\x00CB2", "hazelcast", 6.0, "Hazelcast's protocol"),
        (rb"couchbase|\x81[\x00-\xff]\x00\x00.{20}", "couchbase", 3.0, "a memcached binary answer"),
        (rb"\xa1[\x00-\xff]", "infinispan", 2.5, "a Hot Rod answer"),
        (rb"\x00\x00\x00.{1}\x00\x00\x00\x04.{4}\x00\x00\x00\x00", "etcd", 0.2, "a frame"),
        (
            rb"[%#\s]*(?:Domain Name: *\S+\s[\s\S]*Regist|inetnum: |NetRange: |refer: )",
            "whois",
            6.0,
            "a registry's record",
        ),
        (rb"WHOIS|% (?:IANA|This is the RIPE|Copyright)|%% ", "whois", 4.5, "a WHOIS answer"),
        (rb"iRODS|<MsgHeader_PI>", "http", 0.2, "iRODS"),
    )
)


def _greeting(board: Board, data: bytes, port: int | None) -> None:
    _mysql(board, data)
    _postgresql(board, data, port)
    _mongo(board, data)
    _kafka(board, data, port)
    _framed(board, data, port)
    weights: dict[str, tuple[float, str]] = {}
    hinted = set(board.catalogue.by_port.get(port or 0, ()))
    printable = sum(1 for byte in data[:64] if 32 <= byte < 127 or byte in (9, 10, 13)) / len(data[:64])
    for pattern, kind, weight, words in _GREETINGS:
        if kind in board.catalogue.kinds and pattern.match(data):
            if weight < 4.5 and kind not in hinted:
                weight *= 0.6
            if printable > 0.95 and not pattern.pattern.isascii():
                continue
            if weight > weights.get(kind, (0.0, ""))[0]:
                weights[kind] = (weight, words)
    for kind, (weight, words) in weights.items():
        board.add(kind, weight, words)
    if "redis" in weights and port is not None and "valkey" in hinted:
        board.add("valkey", 0.5, "Valkey answers the same")


def _mysql(board: Board, data: bytes) -> None:
    if len(data) < 8:
        return
    length = int.from_bytes(data[:3], "little")
    if not (data[3] in (0, 1, 2, 3) and 1 < length <= len(data) + 4 and length < 4096):
        return
    if data[4] == 10:
        version = data[5:80].split(b"\x00")[0]
        if re.match(rb"\d+\.\d+", version):
            text = version.decode("ascii", "replace")
            kind = (
                "mariadb"
                if b"MariaDB" in version or b"-maria" in version.lower()
                else "tidb"
                if b"TiDB" in version
                else "singlestore"
                if b"SingleStore" in version or b"MemSQL" in version
                else "vitess"
                if b"Vitess" in version
                else "doris"
                if b"doris" in version.lower()
                else "starrocks"
                if b"StarRocks" in version
                else "oceanbase"
                if b"OceanBase" in version
                else "sphinx"
                if re.search(rb"manticore|sphinx|@[0-9a-f]{8}", version, re.I)
                else "mysql"
            )
            board.add(kind, 7.5, f"a MySQL handshake of version {text}")
    elif data[4] == 255 and re.search(rb"Host|Access denied|Too many connections|blocked|not allowed", data):
        kind = "mariadb" if b"MariaDB" in data else "mysql"
        board.add(kind, 6.0, "a MySQL error packet")


def _postgresql(board: Board, data: bytes, port: int | None) -> None:
    if data in (b"N", b"S") and port in (5432, 5433, 6432, 26257, 5439, None):
        board.add("postgresql", 3.0 if port else 1.2, "the answer to a request for TLS")
        return
    if len(data) < 5:
        return
    length = int.from_bytes(data[1:5], "big")
    if (
        data[:1] == b"R"
        and 8 <= length <= 200
        and int.from_bytes(data[5:9], "big") in (0, 2, 3, 5, 6, 7, 9, 10, 11, 12)
    ):
        board.add("postgresql", 6.5, "PostgreSQL's request for authentication")
        _postgresql_variant(board, data)
    elif (
        data[:1] in b"ESN"
        and 8 <= length < 10_000
        and (
            re.match(rb"[EN].{4}S(?:FATAL|ERROR|FEHLER|PANIC|NOTICE)", data, re.S)
            or re.match(rb"S.{4}(?:server_version|client_encoding|application_name|is_superuser)", data, re.S)
        )
    ):
        board.add("postgresql", 7.0, "a PostgreSQL message")
        _postgresql_variant(board, data)
    elif re.match(rb"E(?:FATAL|invalid|unsupported)", data):
        board.add("postgresql", 5.0, "a PostgreSQL error of old form")


def _postgresql_variant(board: Board, data: bytes) -> None:
    lowered = data.lower()
    for word, kind in (
        (b"cockroach", "cockroachdb"),
        (b"crdb", "cockroachdb"),
        (b"redshift", "redshift"),
        (b"padb", "redshift"),
        (b"yugabyte", "yugabytedb"),
        (b"-yb-", "yugabytedb"),
        (b"greenplum", "greenplum"),
        (b"materialize", "materialize"),
        (b"questdb", "questdb"),
        (b"risingwave", "risingwave"),
        (b"cratedb", "crate"),
        (b"timescale", "timescaledb"),
    ):
        if word in lowered:
            board.add(kind, 6.0, f"it names {word.decode()}")
            if kind == "crate":
                board.add(kind, 3.0, "and speaks PostgreSQL's protocol")
            return


def _mongo(board: Board, data: bytes) -> None:
    if len(data) >= 16:
        length, _, _, code = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8, 12))
        if code in (1, 2013, 2012, 2004) and 16 <= length < 50_000_000:
            words = (
                b"ismaster" in data
                or b"maxWireVersion" in data
                or b"isWritablePrimary" in data
                or b"ok\x00" in data
                or b"helloOk" in data
            )
            board.add("mongodb", 7.0 if words else 5.0, f"a MongoDB message, code {code}")
            if b"cosmos" in data.lower():
                board.add("cosmosdb", 6.0, "it names Cosmos DB")
            if b"docdb" in data.lower():
                board.add("documentdb", 6.0, "it names DocumentDB")
    if b"It looks like you are trying to access MongoDB over HTTP" in data:
        board.add("mongodb", 8.0, "MongoDB's answer to HTTP")


def _kafka(board: Board, data: bytes, port: int | None) -> None:
    if len(data) >= 14 and int.from_bytes(data[:4], "big") == len(data) - 4:
        hinted = port in (9092, 9093, 9094, 19092, 29092)
        count = int.from_bytes(data[10:14], "big")
        error = int.from_bytes(data[8:10], "big")
        if error in (0, 35) and (
            (0 < count < 200 and len(data) >= 14 + 6 * count) or (data[10] in range(2, 120) and len(data) > 20)
        ):
            board.add("kafka", 5.5 if hinted else 4.6, "Kafka's answer on API versions")
        elif hinted:
            board.add("kafka", 3.0, "a frame of Kafka's form")
    if (
        len(data) >= 8
        and int.from_bytes(data[:4], "big") == len(data) - 4
        and data[8:12] == b"\x00\x00\x00\x00"
        and port in (2181, 2182)
    ):
        board.add("zookeeper", 4.0, "a frame of ZooKeeper's form")


def _framed(board: Board, data: bytes, port: int | None) -> None:
    """Frames whose header names the length of what follows, exactly."""
    if (
        9 <= len(data) <= 260
        and data[:2] != b"0\x84"
        and data[2:4] == b"\0\0"
        and int.from_bytes(data[4:6], "big") == len(data) - 6
        and 1 <= data[7] & 0x7F <= 0x2B
    ):
        board.add("modbus", 6.0, f"a Modbus frame of function {data[7] & 0x7F}")
    if len(data) >= 24 and data[0] == 0x81 and int.from_bytes(data[8:12], "big") == len(data) - 24:
        hinted = "couchbase" in board.catalogue.by_port.get(port or 0, ())
        board.add("couchbase" if hinted else "memcached", 6.0, "a memcached binary answer")
    if len(data) >= 8 and data[0] == 2 and data[1] in (1, 2, 3) and int.from_bytes(data[2:8], "big") == len(data) - 8:
        board.add("aerospike", 6.0, "an Aerospike frame")
    if (
        len(data) >= 12
        and data[2] & 0x80
        and data[2] & 0x78 == 0
        and data[3] & 0x70 == 0
        and int.from_bytes(data[4:6], "big") <= 1
        and all(int.from_bytes(data[at : at + 2], "big") < 64 for at in (6, 8, 10))
        and (len(data) == 12 or data[12] < 64)
        and port == 53
    ):
        board.add("dns", 5.5, "a DNS answer")


# HTTP

_HEADER_KINDS = (
    ("x-elastic-product", "elasticsearch", 6.0),
    ("x-influxdb-version", "influxdb", 6.5),
    ("x-influxdb-build", "influxdb", 6.5),
    ("x-clickhouse-server-display-name", "clickhouse", 7.0),
    ("x-clickhouse-summary", "clickhouse", 7.0),
    ("x-clickhouse-query-id", "clickhouse", 7.0),
    ("x-clickhouse-exception-code", "clickhouse", 7.0),
    ("x-couch-request-id", "couchdb", 6.5),
    ("x-couchdb-body-time", "couchdb", 6.5),
    ("x-consul-index", "consul", 6.5),
    ("x-consul-knownleader", "consul", 6.5),
    ("x-vault-request", "vault", 6.0),
    ("x-amz-bucket-region", "s3", 6.0),
    ("x-amz-id-2", "s3", 5.0),
    ("x-minio-deployment-id", "s3", 6.0),
    ("x-ms-blob-type", "azure-blob", 6.5),
    ("x-ms-lease-status", "azure-blob", 5.0),
    ("x-goog-storage-class", "gcs", 6.5),
    ("x-goog-hash", "gcs", 5.5),
    ("x-guploader-uploadid", "gcs", 7.0),
    ("odata-version", "odata", 6.0),
    ("dataserviceversion", "odata", 6.0),
    ("x-prometheus-api-version", "prometheus", 6.0),
    ("x-arango-queue-time-seconds", "arangodb", 6.5),
    ("x-arango-hlc", "arangodb", 6.5),
    ("x-jenkins", "jenkins", 6.5),
    ("x-presto-prepare", "presto", 6.0),
    ("x-trino-set-session", "trino", 6.0),
    ("grpc-status", "grpc", 6.0),
    ("grpc-message", "grpc", 4.0),
    ("soapaction", "soap", 4.0),
    ("x-solr-version", "solr", 6.0),
    ("mcp-session-id", "mcp", 6.0),
    ("x-graphql-event-stream", "graphql", 6.0),
    ("x-typesense-api-key", "typesense", 5.0),
    ("raven-server-version", "ravendb", 6.5),
    ("x-splunk-request-id", "splunk", 5.0),
    ("x-neo4j-version", "neo4j", 6.0),
    ("x-dgraph-server", "dgraph", 6.0),
    ("x-qdrant-version", "qdrant", 6.0),
    ("x-couchbase-meta", "couchbase", 6.0),
    ("x-marklogic-system", "marklogic", 6.0),
    ("x-questdb-version", "questdb", 6.0),
    ("x-etcd-cluster-id", "etcd", 6.5),
    ("x-etcd-index", "etcd", 6.5),
    ("docker-distribution-api-version", "docker", 5.0),
    ("api-version", "docker", 0.8),
    ("x-amzn-requestid", "rest-api", 0.4),
    ("sec-websocket-accept", "websocket", 6.5),
    ("x-amz-crc32", "dynamodb", 5.0),
    ("x-airtable-", "airtable", 4.0),
    ("x-kubernetes-pf-flowschema-uid", "kubernetes", 6.5),
    ("dav", "webdav", 4.5),
    ("ms-author-via", "webdav", 4.0),
)
_SERVERS = (
    ("couchdb", "couchdb", 6.0),
    ("uploadserver", "gcs", 4.0),
    ("clickhouse", "clickhouse", 6.0),
    ("rabbitmq", "rabbitmq", 5.0),
    ("cowboy", "rabbitmq", 1.5),
    ("minio", "s3", 6.0),
    ("amazons3", "s3", 6.0),
    ("windows-azure-blob", "azure-blob", 6.5),
    ("windows-azure-table", "azure-table", 6.5),
    ("windows-azure-queue", "azure-queue", 6.5),
    ("arangodb", "arangodb", 6.0),
    ("influxdb", "influxdb", 6.0),
    ("tinyproxy", "http", 0.5),
    ("virtuoso", "sparql", 3.5),
    ("typesense", "typesense", 6.0),
    ("splunkd", "splunk", 6.0),
    ("meilisearch", "meilisearch", 6.0),
    ("docker", "docker", 6.0),
    ("jetty", "solr", 0.4),
    ("bigip", "http", 0.2),
    ("grafana", "grafana", 6.0),
    ("ecstatic", "http", 0.3),
    ("pouchdb", "couchdb", 5.0),
    ("mongrel", "http", 0.2),
    ("vespa", "vespa", 5.0),
    ("couchbase", "couchbase", 6.0),
    ("marklogic", "marklogic", 6.0),
    ("oracle xml db", "oracle", 5.0),
    ("questdb", "questdb", 6.0),
    ("dynamodb", "dynamodb", 6.0),
    ("akamains3", "s3", 3.0),
    ("seaweedfs", "s3", 3.5),
    ("kestrel", "http", 0.2),
    ("sabredav", "webdav", 4.5),
    ("neo4j", "neo4j", 6.0),
)
_REALMS = (
    ("neo4j", "neo4j"),
    ("rabbitmq", "rabbitmq"),
    ("elasticsearch", "elasticsearch"),
    ("security", "elasticsearch"),
    ("opensearch", "opensearch"),
    ("couchdb", "couchdb"),
    ("influxdb", "influxdb"),
    ("clickhouse", "clickhouse"),
    ("administrator", "couchdb"),
    ("solr", "solr"),
    ("arangodb", "arangodb"),
    ("docker", "docker"),
    ("vault", "vault"),
)


def _response(board: Board, data: bytes, status: int) -> None:
    """Status, header names, media type, root of the body: in that order, before any look at the bytes as such."""
    raw, _, body = data.partition(b"\r\n\r\n") if b"\r\n\r\n" in data else data.partition(b"\n\n")
    headers: dict[str, str] = {}
    for line in raw.decode("latin-1").splitlines()[1:]:
        key, colon, value = line.partition(":")
        if colon:
            headers[key.strip().lower()] = value.strip()
    board.facts["status"] = status
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _dechunked(body)
    if headers.get("content-encoding", "").lower() == "gzip":
        from synth.detect_files import _decompressed

        body = _decompressed("gzip", body) or body
    media = headers.get("content-type", "").split(";")[0].strip().lower()
    board.facts["media_type"] = media
    board.add("http", 1.2, f"an HTTP response with status {status}")
    for key, kind, weight in _HEADER_KINDS:
        if key in headers:
            board.add(kind, weight, f"the header {key}")
    server = headers.get("server", "").lower()
    for word, kind, weight in _SERVERS:
        if word in server:
            board.add(kind, weight, f"the server calls itself {headers['server']}")
            break
    for word, kind in (("calendar-access", "caldav"), ("addressbook", "carddav")):
        if word in headers.get("dav", "").lower():
            board.add(kind, 6.5 if kind == "caldav" else 5.5, f"the header DAV says {word}")
            break
    realm = headers.get("www-authenticate", "").lower()
    for word, kind in _REALMS:
        if f'realm="{word}' in realm or (word in realm and word not in ("security", "administrator")):
            board.add(kind, 4.5, f"it asks for a login at {word}")
            break
    if re.search(r"\blink\b.*rel=.?next", headers.get("link", "").lower()):
        board.add("rest-api", 1.5, "a Link header to the next page")
    if headers.get("upgrade", "").lower() == "websocket" or status == 101:
        board.add("websocket", 6.0, "an upgrade to WebSocket")
    for kind in board.catalogue.by_mime.get(media, ()):
        weak = media in (
            "text/plain",
            "application/json",
            "text/html",
            "application/xml",
            "text/xml",
            "application/octet-stream",
        )
        board.add(kind, 1.0 if weak else 4.5, f"the media type {media}", weak=weak)
    if "version=0.0.4" in headers.get("content-type", "") or "openmetrics" in media:
        board.add("prometheus-metrics", 6.0, "Prometheus' media type")
    if "odata.metadata" in headers.get("content-type", ""):
        board.add("odata", 5.0, "OData's media type")
    if body.strip():
        _http_body(board, body, media, status, headers)
    elif status in (401, 403, 404, 204, 301, 302, 400, 405) and "json" in media:
        board.add("rest-api", 2.0, "an answer of an API without a body")


def _http_body(board: Board, body: bytes, media: str, status: int, headers: dict[str, str]) -> None:
    inner = Board(board.catalogue)
    _body(inner, body)
    kinds = board.catalogue.kinds
    for signal in inner.signals:
        if signal.kind in ("json", "ndjson"):
            continue
        if "json" in media and kinds[signal.kind].family in ("code", "config", "delimited", "document"):
            continue
        if "html" in media and signal.kind not in ("html", "xhtml", "php") and signal.weight < 5:
            continue
        board.signals.append(signal)
    board.facts.update(inner.facts)
    json_like = inner.strength("json") > 2 or inner.strength("ndjson") > 2
    lowered = body[:4096].lower()
    if json_like:
        found = board.best()
        if inner.strength("ndjson") > 2 and found[1] < 4.5:
            board.add("ndjson", 3.0, "the body is JSON lines")
        shows = re.search(
            rb'"(?:data|items|results|records|total|count|page|next|per_page|links|meta|id|errors?|message)"\s*:',
            lowered,
        )
        board.add("rest-api", 3.4 if shows else 2.8, "the body is JSON")
        if "json" not in media and "javascript" not in media and media:
            board.notes.append(f"the media type {media} does not say JSON")
        if (
            re.match(rb'\s*\{\s*"(?:data|errors)"\s*:', body)
            and re.search(rb'"(?:data|errors)"\s*:\s*[\[{]', body)
            and _graphql_shape(body)
        ):
            board.add("graphql", 4.5, "data and errors as GraphQL answers them")
    if media == "text/html" or inner.strength("html") > 3:
        for word, kind in (
            (b"graphiql", "graphql"),
            (b"graphql playground", "graphql"),
            (b"apollo sandbox", "graphql"),
            (b"swagger-ui", "openapi"),
            (b"redoc", "openapi"),
            (b"wsdl", "soap"),
            (b"<title>rabbitmq management", "rabbitmq"),
            (b"<title>grafana", "grafana"),
            (b"phpmyadmin", "mysql"),
            (b"<title>solr admin", "solr"),
            (b"<title>kibana", "elasticsearch"),
            (b"<title>prometheus time series", "prometheus"),
            (b"neo4j browser", "neo4j"),
            (b"<title>index of /", "http"),
            (b"couchdb", "couchdb"),
            (b"clickhouse", "clickhouse"),
            (b"sparql query", "sparql"),
        ):
            if word in lowered:
                board.add(kind, 4.5 if kind != "http" else 1.0, f"the page names {word.decode()}")
                break
    text = body[:2000]
    for pattern, kind, weight, words in _BODY_TEXTS:
        if pattern.search(text):
            board.add(kind, weight, words)


_BODY_TEXTS = tuple(
    (re.compile(pattern, re.S), kind, weight, words)
    for pattern, kind, weight, words in (
        (rb"x-typesense-api-key", "typesense", 6.0, "Typesense's header"),
        (rb"Microsoft\.Azure\.Documents", "cosmosdb", 6.0, "Cosmos DB's own name space"),
        (rb"org\.apache\.solr\.", "solr", 6.0, "a class of Solr"),
        (rb"org\.apache\.druid\.", "druid", 6.0, "a class of Druid"),
        (rb"org\.apache\.pinot\.", "pinot", 6.0, "a class of Pinot"),
        (rb"io\.trino\.", "trino", 6.0, "a class of Trino"),
        (rb"com\.facebook\.presto\.", "presto", 6.0, "a class of Presto"),
        (rb"\bopensearch_security\b|org\.opensearch\.", "opensearch", 6.0, "a class of OpenSearch"),
        (rb"org\.elasticsearch\.", "elasticsearch", 6.0, "a class of Elasticsearch"),
        (rb'"protocolVersion"\s*:\s*"20\d\d-\d\d-\d\d"', "mcp", 7.0, "MCP's version of the protocol"),
        (
            rb"POST body missing|Query root type must be provided|Persisted\s?Query",
            "graphql",
            5.0,
            "GraphQL asks for a query",
        ),
        (rb'"paths"\s*:\s*\[\s*"/(?:\.well-known/|apis?)', "kubernetes", 6.0, "the paths of a Kubernetes server"),
        (rb"<a href=[\"']?/?varz", "nats", 6.0, "the links of NATS' monitor"),
        (rb"urn:ietf:params:xml:ns:caldav", "caldav", 8.0, "CalDAV's namespace"),
        (rb"urn:ietf:params:xml:ns:carddav", "carddav", 8.0, "CardDAV's namespace"),
        (rb"\AOk\.\n\Z", "clickhouse", 5.5, "the answer Ok."),
        (rb"Code: \d+\. DB::Exception", "clickhouse", 6.5, "a ClickHouse exception"),
        (rb"It looks like you are trying to access MongoDB over HTTP", "mongodb", 8.0, "MongoDB's answer to HTTP"),
        (
            rb"Must provide query string|GET query missing\.|must have a query",
            "graphql",
            5.0,
            "GraphQL asks for a query",
        ),
        (
            rb"<Error><Code>(?:AccessDenied|NoSuchBucket|NoSuchKey|InvalidAccessKeyId|SignatureDoesNotMatch)",
            "s3",
            6.0,
            "an S3 error",
        ),
        (
            rb"<Code>(?:AuthenticationFailed|ResourceNotFound|PublicAccessNotPermitted|InvalidQueryParameterValue|BlobNotFound|ContainerNotFound)</Code>",
            "azure-blob",
            5.0,
            "an Azure storage error",
        ),
        (
            rb"Prometheus (?:is Healthy|Server is Healthy|is Ready|Server is Ready)",
            "prometheus",
            6.5,
            "Prometheus' health",
        ),
        (rb"\AVictoriaMetrics|<h2>Single-node VictoriaMetrics", "victoriametrics", 6.5, "VictoriaMetrics' page"),
        (rb"qdrant - vector search engine", "qdrant", 6.5, "Qdrant's title"),
        (
            rb"com\.amazon(?:aws)?\.(?:dynamodb|coral)[\w.]*#(?:MissingAuthenticationToken|UnrecognizedClient)?",
            "dynamodb",
            4.0,
            "an AWS error",
        ),
        (rb'"ServerVersion"|"MinAPIVersion"', "docker", 5.5, "Docker's version"),
        (rb'"etcdserver"', "etcd", 6.5, "etcd's version"),
        (rb"nanosecond[ _]heartbeat", "chroma", 7.0, "Chroma's heartbeat"),
        (rb'"(?:tagline)"\s*:\s*"You Know, for Search"', "elasticsearch", 7.0, "Elasticsearch's tag line"),
    )
)


def _graphql_shape(body: bytes) -> bool:
    import json

    try:
        value = json.loads(body)
    except ValueError:
        return (
            bool(re.match(rb'\s*\{\s*"data"\s*:\s*\{\s*"(?:__|[a-z]\w+)"\s*:\s*[\[{n]', body))
            and b'"extensions"' in body
        )
    if not isinstance(value, dict) or not value.keys() <= {"data", "errors", "extensions"}:
        return False
    errors = value.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict) and "message" in errors[0]:
        return True
    data = value.get("data")
    return (
        isinstance(data, dict)
        and bool(data)
        and all(isinstance(inner, (dict, list, type(None))) for inner in data.values())
        and not data.keys() & {"id", "items", "results", "attributes"}
    )


def _dechunked(body: bytes) -> bytes:
    pieces, at = [], 0
    for _ in range(200):
        line = re.match(rb"([0-9a-fA-F]+)[^\r\n]*\r\n", body[at : at + 100])
        if not line:
            break
        count = int(line[1], 16)
        if count == 0:
            break
        start = at + line.end()
        pieces.append(body[start : start + count])
        at = start + count + 2
    return b"".join(pieces) or body


def _body(board: Board, data: bytes) -> None:
    if not read_text(board, data, whole=True, payload=True):
        read_bytes(board, data, b"", len(data), "")
        return
    others = any(signal.kind not in ("text",) and signal.weight >= 2 for signal in board.signals)
    if not others:
        read_bytes(board, data, b"", len(data), "")
