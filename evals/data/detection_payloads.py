# ruff: noqa: E501  (answers of services stand as they come over the wire, one a line)
"""What services say: HTTP answers, greetings, and binary replies to a protocol's hello, as their documentation shows them."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Payload:
    """Bytes a service sent, the port they came from where that is known, and the kinds that are right."""

    kinds: str
    body: bytes
    port: int | None = None


PAYLOADS: list[Payload] = []


def said(kinds: str, body: bytes | str, port: int | None = None) -> None:
    """Put bytes into the set."""
    PAYLOADS.append(Payload(kinds, body.encode() if isinstance(body, str) else body, port))


def answered(kinds: str, body: str = "", headers: str = "", status: str = "200 OK", port: int | None = None) -> None:
    """Put an HTTP answer into the set. `headers`: lines; JSON is the content type where they say none."""
    lines = [line.strip() for line in headers.strip().splitlines() if line.strip()]
    if not any(line.lower().startswith("content-type") for line in lines):
        lines.append("Content-Type: application/json")
    lines.append(f"Content-Length: {len(body.encode())}")
    said(kinds, f"HTTP/1.1 {status}\r\n" + "\r\n".join(lines) + "\r\n\r\n" + body, port)


HTML, XML, TEXT = "Content-Type: text/html; charset=utf-8", "Content-Type: application/xml", "Content-Type: text/plain"

answered(
    "elasticsearch",
    '{"name":"n1","cluster_name":"docker-cluster","cluster_uuid":"x","version":{"number":"8.12.0","build_flavor":"default","lucene_version":"9.9.1"},"tagline":"You Know, for Search"}',
    "X-elastic-product: Elasticsearch",
    port=9200,
)
answered(
    "elasticsearch",
    '{"took":2,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":{"value":1,"relation":"eq"},"max_score":1.0,"hits":[{"_index":"logs","_id":"1","_score":1.0,"_source":{"a":1}}]}}',
    "X-elastic-product: Elasticsearch",
)
answered(
    "opensearch",
    '{"name":"n1","cluster_name":"opensearch","version":{"distribution":"opensearch","number":"2.11.1"},"tagline":"The OpenSearch Project: https://opensearch.org/"}',
)
answered(
    "solr",
    '{"responseHeader":{"status":0,"QTime":1,"params":{"q":"*:*"}},"response":{"numFound":2,"start":0,"numFoundExact":true,"docs":[{"id":"1"}]}}',
)
answered(
    "meilisearch", '{"hits":[{"id":1}],"query":"x","processingTimeMs":1,"limit":20,"offset":0,"estimatedTotalHits":1}'
)
answered(
    "meilisearch",
    '{"message":"The Authorization header is missing.","code":"missing_authorization_header","type":"auth","link":"https://docs.meilisearch.com/errors#missing_authorization_header"}',
    status="401 Unauthorized",
    port=7700,
)
answered(
    "typesense",
    '{"facet_counts":[],"found":1,"hits":[{"document":{"id":"1"},"highlights":[],"text_match":1}],"out_of":3,"page":1,"request_params":{"collection_name":"books","per_page":10,"q":"x"},"search_time_ms":1}',
)
answered(
    "couchdb",
    '{"couchdb":"Welcome","version":"3.3.3","git_sha":"40afbcfc7","uuid":"x","features":["access-ready"],"vendor":{"name":"The Apache Software Foundation"}}',
    "Server: CouchDB/3.3.3 (Erlang OTP/24)",
    port=5984,
)
answered(
    "couchdb",
    '{"total_rows":3,"offset":0,"rows":[{"id":"a","key":"a","value":{"rev":"1-x"}}]}',
    "Server: CouchDB/3.3.3 (Erlang OTP/24)",
)
answered(
    "clickhouse",
    "Ok.\n",
    'Connection: Keep-Alive\nKeep-Alive: timeout=10\nX-ClickHouse-Summary: {"read_rows":"0"}\n' + HTML,
    port=8123,
)
answered(
    "clickhouse",
    '{"meta":[{"name":"1","type":"UInt8"}],"data":[{"1":1}],"rows":1,"statistics":{"elapsed":0.0004,"rows_read":1,"bytes_read":1}}',
    "X-ClickHouse-Server-Display-Name: ch1\nX-ClickHouse-Format: JSON",
)
answered("influxdb", "", "X-Influxdb-Version: 1.8.10\nX-Influxdb-Build: OSS", "204 No Content", port=8086)
answered(
    "influxdb",
    '{"results":[{"statement_id":0,"series":[{"name":"cpu","columns":["time","value"],"values":[["2025-02-11T08:14:02Z",1]]}]}]}',
    "X-Influxdb-Version: 1.8.10",
)
answered(
    "influxdb",
    '{"name":"influxdb","message":"ready for queries and writes","status":"pass","checks":[],"version":"v2.7.5","commit":"09a9607fd9"}',
)
answered(
    "prometheus",
    '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"node"},"value":[1739257442.003,"1"]}]}}',
    port=9090,
)
answered(
    "prometheus",
    '{"status":"success","data":{"version":"2.49.1","revision":"43e14844a33b65e2a396e3944272af8b3a494071","branch":"HEAD","goVersion":"go1.21.6"}}',
)
answered(
    "prometheus-metrics",
    "# HELP go_goroutines Number of goroutines.\n# TYPE go_goroutines gauge\ngo_goroutines 8\n",
    "Content-Type: text/plain; version=0.0.4; charset=utf-8",
)
answered(
    "prometheus-metrics",
    "# TYPE a counter\na_total 1\n# EOF\n",
    "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8",
    port=9100,
)
answered(
    "loki",
    '{"status":"success","data":{"resultType":"streams","result":[{"stream":{"job":"a"},"values":[["1739257442003211000","line"]]}],"stats":{"summary":{"bytesProcessedPerSecond":1}}}}',
)
answered(
    "graphite",
    '[{"target":"servers.web.cpu","tags":{"name":"servers.web.cpu"},"datapoints":[[0.42,1739257442],[null,1739257502]]}]',
)
answered("grafana", '{"commit":"00a22ff8b2","database":"ok","version":"10.3.1"}', port=3000)
answered("etcd", '{"etcdserver":"3.5.9","etcdcluster":"3.5.0"}', port=2379)
answered(
    "consul",
    '[{"LockIndex":0,"Key":"foo","Flags":0,"Value":"YmFy","CreateIndex":100,"ModifyIndex":200}]',
    "X-Consul-Index: 200\nX-Consul-Knownleader: true",
)
answered(
    "vault",
    '{"initialized":true,"sealed":false,"standby":false,"performance_standby":false,"server_time_utc":1739257442,"version":"1.15.4","cluster_name":"vault-cluster-1","cluster_id":"x"}',
    port=8200,
)
answered(
    "neo4j",
    '{"bolt_routing":"neo4j://localhost:7687","transaction":"http://localhost:7474/db/{databaseName}/tx","bolt_direct":"bolt://localhost:7687","neo4j_version":"5.16.0","neo4j_edition":"community"}',
    port=7474,
)
answered("arangodb", '{"server":"arango","license":"community","version":"3.11.6"}', "Server: ArangoDB")
answered("qdrant", '{"title":"qdrant - vector search engine","version":"1.7.4","commit":"x"}', port=6333)
answered(
    "weaviate",
    '{"hostname":"http://[::]:8080","modules":{"text2vec-openai":{}},"version":"1.23.7","grpcMaxMessageSize":10485760}',
)
answered("chroma", '{"nanosecond heartbeat":1739257442003211000}', port=8000)
answered(
    "sparql",
    '{"head":{"vars":["s","p"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://e/a"},"p":{"type":"literal","value":"x"}}]}}',
    "Content-Type: application/sparql-results+json",
)
answered(
    "sparql",
    '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"><head><variable name="s"/></head><results/></sparql>',
    "Content-Type: application/sparql-results+xml",
)
answered(
    "trino",
    '{"nodeVersion":{"version":"438"},"environment":"docker","coordinator":true,"starting":false,"uptime":"1.05m"}',
    port=8080,
)
answered(
    "trino",
    '{"id":"20250211_081402_00001_abcde","infoUri":"http://localhost:8080/ui/query.html?x","nextUri":"http://localhost:8080/v1/statement/queued/x/y/1","stats":{"state":"QUEUED","queued":true}}',
)
answered(
    "druid",
    '{"version":"28.0.1","modules":[{"name":"org.apache.druid.storage.s3.S3StorageDruidModule"}],"memory":{"maxMemory":1}}',
)
answered(
    "splunk",
    '<?xml version="1.0" encoding="UTF-8"?><response><messages><msg type="ERROR">Unauthorized</msg></messages></response>',
    "Server: Splunkd\n" + XML,
    "401 Unauthorized",
    port=8089,
)
answered(
    "s3",
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>',
    "Server: AmazonS3\nx-amz-request-id: X\nx-amz-id-2: Y\n" + XML,
)
answered(
    "s3",
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>X</RequestId><HostId>Y</HostId></Error>',
    "Server: MinIO\nX-Amz-Request-Id: 17\n" + XML,
    "403 Forbidden",
    port=9000,
)
answered(
    "azure-blob",
    '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.blob.core.windows.net/" ContainerName="c"><Blobs><Blob><Name>a</Name></Blob></Blobs><NextMarker/></EnumerationResults>',
    "Server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\nx-ms-version: 2021-08-06\n" + XML,
)
answered(
    "gcs",
    '{"kind":"storage#objects","items":[{"kind":"storage#object","id":"b/a/1","name":"a","bucket":"b"}]}',
    "X-GUploader-UploadID: X\nServer: UploadServer",
)
answered(
    "dynamodb",
    '{"Count":1,"Items":[{"id":{"S":"1"},"n":{"N":"7"}}],"ScannedCount":1}',
    "x-amzn-RequestId: X\nContent-Type: application/x-amz-json-1.0",
)
answered(
    "sqs",
    '<?xml version="1.0"?><ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult><Message><MessageId>1</MessageId></Message></ReceiveMessageResult></ReceiveMessageResponse>',
    "x-amzn-RequestId: X\nContent-Type: text/xml",
)
answered(
    "cosmosdb",
    '{"_rid":"","Databases":[{"id":"db","_rid":"x","_self":"dbs/x/","_etag":"y","_colls":"colls/","_users":"users/","_ts":1739257442}],"_count":1}',
    "x-ms-gatewayversion: version=2.14.0\nx-ms-schemaversion: 1.16",
)
answered(
    "firestore",
    '{"documents":[{"name":"projects/p/databases/(default)/documents/users/a","fields":{"n":{"integerValue":"7"},"s":{"stringValue":"x"}},"createTime":"2025-02-11T08:14:02Z","updateTime":"2025-02-11T08:14:02Z"}]}',
)
answered(
    "bigquery",
    '{"kind":"bigquery#queryResponse","schema":{"fields":[{"name":"f0_","type":"INTEGER"}]},"jobReference":{"projectId":"p","jobId":"j"},"totalRows":"1","rows":[{"f":[{"v":"1"}]}],"jobComplete":true}',
)
answered(
    "kubernetes",
    '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"forbidden: User \\"system:anonymous\\" cannot get path \\"/\\"","reason":"Forbidden","code":403}',
    "Audit-Id: x",
    "403 Forbidden",
    port=6443,
)
answered(
    "docker",
    '{"Platform":{"Name":"Docker Engine - Community"},"Version":"25.0.2","ApiVersion":"1.44","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"}',
    "Api-Version: 1.44\nServer: Docker/25.0.2 (linux)",
    port=2375,
)
answered(
    "jenkins",
    '{"_class":"hudson.model.Hudson","mode":"NORMAL","jobs":[{"_class":"hudson.model.FreeStyleProject","name":"a"}]}',
    "X-Jenkins: 2.426.3\nX-Hudson: 1.395",
)
answered(
    "kafka-schema-registry",
    '{"subject":"orders-value","version":1,"id":1,"schema":"{\\"type\\":\\"record\\",\\"name\\":\\"O\\",\\"fields\\":[]}"}',
    "Content-Type: application/vnd.schemaregistry.v1+json",
    port=8081,
)
answered(
    "rabbitmq",
    '{"management_version":"3.12.12","rabbitmq_version":"3.12.12","cluster_name":"rabbit@x","erlang_version":"25.3","object_totals":{"queues":1}}',
    "Server: Cowboy",
    port=15672,
)
answered(
    "nats",
    '{"server_id":"NX","server_name":"n","version":"2.10.9","go":"go1.21","host":"0.0.0.0","port":4222,"max_payload":1048576,"connections":1}',
    port=8222,
)
answered(
    "ckan",
    '{"help":"https://demo.ckan.org/api/3/action/help_show?name=package_list","success":true,"result":["a","b"]}',
)
answered(
    "socrata",
    '[{"id":"1","case_number":"X"}]',
    'X-Socrata-RequestId: x\nX-SODA2-Fields: ["id","case_number"]\nX-SODA2-Types: ["text","text"]',
)
answered(
    "arcgis-rest", '{"currentVersion":11.1,"services":[{"name":"Census","type":"MapServer"}],"folders":["Utilities"]}'
)
answered(
    "arcgis-rest",
    '{"objectIdFieldName":"OBJECTID","geometryType":"esriGeometryPoint","spatialReference":{"wkid":4326},"fields":[{"name":"OBJECTID","type":"esriFieldTypeOID"}],"features":[{"attributes":{"OBJECTID":1}}]}',
)
answered(
    "stac",
    '{"type":"Catalog","id":"c","stac_version":"1.0.0","description":"d","links":[{"rel":"self","href":"/"}],"conformsTo":["https://api.stacspec.org/v1.0.0/core"]}',
)
answered(
    "wms",
    '<?xml version="1.0"?><WMT_MS_Capabilities version="1.1.1"><Service><Name>OGC:WMS</Name></Service></WMT_MS_Capabilities>',
    "Content-Type: application/vnd.ogc.wms_xml",
)
answered(
    "wfs",
    '<?xml version="1.0"?><wfs:WFS_Capabilities xmlns:wfs="http://www.opengis.net/wfs/2.0" version="2.0.0"/>',
    XML,
)
answered(
    "odata",
    '{"@odata.context":"https://services.odata.org/V4/N/$metadata#Customers","value":[{"CustomerID":"ALFKI"}],"@odata.nextLink":"x"}',
    "OData-Version: 4.0\nContent-Type: application/json;odata.metadata=minimal",
)
answered(
    "odata", '{"d":{"results":[{"__metadata":{"uri":"http://h/S(1)","type":"N.C"},"ID":1}]}}', "DataServiceVersion: 2.0"
)
answered(
    "odata-metadata",
    '<?xml version="1.0"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"/>',
    XML,
)
answered("graphql", '{"data":{"__typename":"Query"}}', port=4000)
answered(
    "graphql",
    '{"errors":[{"message":"Must provide query string.","extensions":{"code":"BAD_REQUEST"}}]}',
    status="400 Bad Request",
)
answered(
    "graphql",
    '{"errors":[{"message":"Syntax Error: Unexpected <EOF>.","locations":[{"line":1,"column":1}]}]}',
    "Content-Type: application/graphql-response+json",
    "400 Bad Request",
)
answered(
    "graphql-introspection, graphql",
    '{"data":{"__schema":{"queryType":{"name":"Query"},"types":[{"kind":"OBJECT","name":"Query","fields":[]}]}}}',
)
answered(
    "soap",
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><m:R xmlns:m="u"/></soap:Body></soap:Envelope>',
    "Content-Type: text/xml; charset=utf-8",
)
answered(
    "soap",
    '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body><env:Fault><env:Code/></env:Fault></env:Body></env:Envelope>',
    "Content-Type: application/soap+xml",
    "500 Internal Server Error",
)
answered(
    "wsdl",
    '<?xml version="1.0"?><wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" name="S"/>',
    "Content-Type: text/xml",
)
answered("json-rpc", '{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}')
answered("json-rpc, ethereum", '{"jsonrpc":"2.0","id":1,"result":"0x10d4f"}')
answered(
    "mcp, json-rpc",
    '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-03-26","capabilities":{"tools":{}},"serverInfo":{"name":"demo","version":"1.0"}}}',
    "Mcp-Session-Id: x",
)
answered(
    "xml-rpc",
    '<?xml version="1.0"?><methodResponse><params><param><value><string>x</string></value></param></params></methodResponse>',
    "Content-Type: text/xml",
)
answered("sse", 'id: 1\nevent: tick\ndata: {"n":1}\n\n', "Content-Type: text/event-stream\nCache-Control: no-cache")
said(
    "websocket",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
)
answered("openapi", '{"openapi":"3.0.2","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{}}}}')
answered("swagger", '{"swagger":"2.0","info":{"title":"t","version":"1"},"paths":{}}')
answered(
    "rss",
    '<?xml version="1.0"?><rss version="2.0"><channel><title>x</title></channel></rss>',
    "Content-Type: application/rss+xml",
)
answered(
    "atom",
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>',
    "Content-Type: application/atom+xml",
)
answered(
    "json-feed",
    '{"version":"https://jsonfeed.org/version/1","title":"x","items":[]}',
    "Content-Type: application/feed+json",
)
answered("sitemap", '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>', XML)
answered(
    "oai-pmh",
    '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><Identify/></OAI-PMH>',
    "Content-Type: text/xml",
)
answered(
    "caldav",
    '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav"><d:response><d:href>/c/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/><cal:calendar/></d:resourcetype></d:prop></d:propstat></d:response></d:multistatus>',
    "DAV: 1, 2, 3, calendar-access\n" + XML,
    "207 Multi-Status",
)
answered(
    "webdav",
    '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>/f/a.txt</D:href><D:propstat><D:prop><D:getcontentlength>3</D:getcontentlength></D:prop></D:propstat></D:response></D:multistatus>',
    XML,
    "207 Multi-Status",
)
answered("webdav", "", "DAV: 1,2\nMS-Author-Via: DAV\nAllow: OPTIONS, GET, HEAD, PROPFIND, LOCK")
answered(
    "rest-api",
    '[{"id":1,"title":"a"},{"id":2,"title":"b"}]',
    'X-Total-Count: 2\nLink: <https://api.example.org/posts?page=2>; rel="next"',
)
answered("rest-api", '{"data":[{"id":1}],"meta":{"page":1,"total":9},"links":{"next":"/v1/orders?page=2"}}')
answered("rest-api", '{"detail":"Not Found"}', "Server: uvicorn", "404 Not Found", port=8000)
answered(
    "rest-api",
    '{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}',
    "X-RateLimit-Limit: 60",
    "401 Unauthorized",
)
answered(
    "html, http",
    "<!doctype html><html><head><title>Welcome to nginx!</title></head><body></body></html>",
    "Server: nginx/1.24.0\n" + HTML,
)
answered(
    "csv",
    "id,name,city\n1,Ada,London\n2,Bo,Oslo\n",
    'Content-Type: text/csv\nContent-Disposition: attachment; filename="people.csv"',
)
answered(
    "geojson",
    '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{}}]}',
    "Content-Type: application/geo+json",
)
answered(
    "fhir",
    '{"resourceType":"CapabilityStatement","status":"active","kind":"instance","fhirVersion":"4.0.1","format":["json"]}',
    "Content-Type: application/fhir+json",
)
answered("ndjson", '{"id":1}\n{"id":2}\n', "Content-Type: application/x-ndjson")
answered(
    "kusto",
    '{"Tables":[{"TableName":"Table_0","Columns":[{"ColumnName":"a","DataType":"Int64","ColumnType":"long"}],"Rows":[[1]]}]}',
    "x-ms-activity-id: x",
)
answered(
    "tdengine",
    '{"code":0,"column_meta":[["ts","TIMESTAMP",8],["v","FLOAT",4]],"data":[["2025-02-11T08:14:02.003Z",1.5]],"rows":1}',
    port=6041,
)
answered(
    "questdb",
    '{"query":"x","columns":[{"name":"a","type":"INT"}],"timestamp":-1,"dataset":[[1]],"count":1}',
    "Server: questDB/1.0",
    port=9000,
)
# greetings in words
said("smtp", "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n", 25)
said("smtp", "220 mx.google.com ESMTP d2e1a72fcca58-6e0f4 - gsmtp\r\n")
said(
    "imap",
    "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN] Dovecot (Debian) ready.\r\n",
    143,
)
said("pop3", "+OK Dovecot (Debian) ready. <1a2b.3.4@mail>\r\n", 110)
said("ftp", "220 (vsFTPd 3.0.5)\r\n", 21)
said("ftp", "220-Welcome to the public archive\r\n220 ProFTPD Server ready.\r\n")
said("ssh, sftp", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n", 22)
said("ssh, sftp", "SSH-2.0-dropbear_2022.83\r\n", 2222)
said("redis", "+PONG\r\n", 6379)
said("redis", "-NOAUTH Authentication required.\r\n")
said(
    "redis",
    "$87\r\n# Server\r\nredis_version:7.2.4\r\nredis_git_sha1:00000000\r\nredis_mode:standalone\r\nos:Linux\r\n\r\n",
)
said("memcached", "VERSION 1.6.23\r\n", 11211)
said("memcached", "STAT pid 1\r\nSTAT uptime 42\r\nSTAT curr_items 3\r\nEND\r\n")
said(
    "nats",
    'INFO {"server_id":"NC","server_name":"n","version":"2.10.9","proto":1,"go":"go1.21.6","host":"0.0.0.0","port":4222,"headers":true,"max_payload":1048576,"jetstream":true}\r\n',
    4222,
)
said("beanstalkd", "OK 25\r\n---\ncurrent-jobs-urgent: 0\n\r\n", 11300)
said(
    "zookeeper",
    "Zookeeper version: 3.8.3-6ad6d364c7, built on 2023-10-05 10:34 UTC\nLatency min/avg/max: 0/0.0/0\nMode: standalone\nNode count: 5\n",
    2181,
)
said("zookeeper", "imok", 2181)
said("stomp", "CONNECTED\nserver:ActiveMQ/5.17.6\nsession:ID:x\nversion:1.2\n\n\0\n", 61613)
said(
    "tarantool",
    "Tarantool 2.11.1 (Binary) 7a1b2c3d-0000-4000-8000-000000000000 \nQ0FGRUJBQkVDQUZFQkFCRUNBRkVCQUJFQ0FGRQ==                       \n",
    3301,
)
said("nntp", "200 news.example.org InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n", 119)
said("irc", ":irc.example.org NOTICE * :*** Looking up your hostname...\r\n", 6667)
said(
    "xmpp",
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='example.org' version='1.0'>",
    5222,
)
said("rtsp", "RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, PAUSE\r\n\r\n", 554)
said(
    "sip",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9\r\nCSeq: 1 OPTIONS\r\nAllow: INVITE, ACK\r\n\r\n",
    5060,
)
said("rsync", "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n", 873)
said(
    "subversion",
    "( success ( 2 2 ( ) ( edit-pipeline svndiff1 absent-entries commit-revprops depth log-revprops ) ) ) ",
    3690,
)
said(
    "git",
    "001e# service=git-upload-pack\n000000e0a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4 HEAD\0multi_ack thin-pack side-band ofs-delta agent=git/2.39.2\n",
)
said(
    "whois",
    "% IANA WHOIS server\n% for more information on IANA, visit http://www.iana.org\n\ndomain:       ORG\nwhois:        whois.publicinterestregistry.org\n",
    43,
)
# binary replies
said("postgresql", b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00", 5432)
said(
    "postgresql",
    b'E\x00\x00\x00\x5cSFATAL\x00VFATAL\x00C28000\x00Mno pg_hba.conf entry for host "10.0.0.7"\x00Fauth.c\x00L543\x00RClientAuthentication\x00\x00',
)
said("postgresql", b"R\x00\x00\x00\x0c\x00\x00\x00\x05\x8a\x11\x4c\x90", 15432)
_mysql = (
    b"\x0a8.0.36\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff\xff\x02\x00\xff\xdf\x15"
    + bytes(10)
    + b"ijklmnopqrst\x00caching_sha2_password\x00"
)
said("mysql", struct.pack("<I", len(_mysql))[:3] + b"\0" + _mysql, 3306)
_maria = (
    b"\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\x00\x08\x00\x00\x00abcdefgh\x00\xfe\xf7\x2d\x02\x00\xff\x81\x15"
    + bytes(10)
    + b"ijklmnopqrst\x00mysql_native_password\x00"
)
said("mariadb", struct.pack("<I", len(_maria))[:3] + b"\0" + _maria, 13306)
_refused = b"\xff\x6a\x04Host '10.0.0.7' is not allowed to connect to this MySQL server"
said("mysql", struct.pack("<I", len(_refused))[:3] + b"\0" + _refused)
said(
    "mssql",
    bytes.fromhex(
        "0401002b00000100 00001a0006010020000102002100010300220000040022000105ff0f0007d0000002".replace(" ", "")
    )
    + bytes(8),
    1433,
)
_hello = (
    bytes.fromhex("0869736d6173746572000110")
    + b"maxWireVersion\0"
    + struct.pack("<i", 21)
    + b"\x01ok\0"
    + struct.pack("<d", 1.0)
    + b"\0"
)
_hello = struct.pack("<i", len(_hello) + 4) + _hello
said("mongodb", struct.pack("<iiiiiqii", 36 + len(_hello), 9, 1, 1, 8, 0, 0, 1) + _hello, 27017)
said("amqp1, rabbitmq", b"AMQP\x03\x01\x00\x00", 5672)
said("rabbitmq", b"AMQP\x00\x00\x09\x01", 5672)
_start = (
    b"\x00\x0a\x00\x0a\x00\x09"
    + struct.pack(">I", 28)
    + b"\x07productS\x00\x00\x00\x08RabbitMQ\x01xt\x01"
    + struct.pack(">I", 5)
    + b"PLAIN"
    + struct.pack(">I", 5)
    + b"en_US"
)
said("rabbitmq", b"\x01\x00\x00" + struct.pack(">I", len(_start)) + _start + b"\xce", 15673)
said("mqtt", b"\x20\x02\x00\x00", 1883)
said("mqtt", b"\x20\x02\x00\x05", 11883)
said(
    "kafka",
    struct.pack(">iihi", 26, 7, 0, 2) + struct.pack(">hhh", 0, 0, 9) + struct.pack(">hhh", 1, 0, 13) + b"\0\0\0\0",
    9092,
)
said("cassandra", b"\x84\x00\x00\x00\x02\x00\x00\x00\x00", 9042)
said(
    "cassandra",
    b"\x84\x00\x00\x00\x06\x00\x00\x00\x26\x00\x02\x00\x0bCQL_VERSION\x00\x01\x00\x053.4.6\x00\x0bCOMPRESSION\x00\x01\x00\x03lz4",
    9042,
)
said("neo4j", b"\x00\x00\x04\x05", 7687)
said("ldap", bytes.fromhex("300c02010161070a010004000400"), 389)
said(
    "smb",
    b"\x00\x00\x00\x74\xfeSMB\x40\x00" + bytes(6) + b"\x01\x00" + bytes(48) + b"\x41\x00\x01\x00\x11\x03\x02\x00",
    445,
)
said("modbus", bytes.fromhex("000100000007010304000a000b"), 502)
said(
    "opcua",
    b"ACKF\x1c\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    4840,
)
said("s7", bytes.fromhex("0300001611d00001000100c0010ac1020100c2020102"), 102)
said(
    "dns",
    bytes.fromhex("12348180000100010000000007")
    + b"example\x03org\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\x5d\xb8\xd8\x22",
    53,
)
said("snmp", bytes.fromhex("302602010104067075626c6963a219020101020100020100300e300c06082b060102010101000400"), 161)
said("coap", bytes.fromhex("604512340af1c128ff") + b'</sensors>;rt="temperature"', 5683)
said(
    "activemq",
    b"\x00\x00\x01\x0c\x01ActiveMQ\x00\x00\x00\x0c\x01\x00\x00\x00\xfa\x00\x00\x00\x08\x00\x11TcpNoDelayEnabled\x01\x01",
    61616,
)
said("zeromq", b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + bytes(48), 5555)
said("rtmp", b"\x03\x00\x00\x00\x00\x00\x00\x00\x00" + bytes((i * 37 + 11) % 256 for i in range(64)), 1935)
said("telnet", b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27\r\nlogin: ", 23)
said(
    "pulsar",
    b"\x00\x00\x00\x25\x00\x00\x00\x21\x08\x03\x22\x1d\x0a\x14Pulsar Server 3.1.2\x10\x15\x18\x80\x80\x40",
    6650,
)
said(
    "oracle",
    b"\x00\x20\x00\x00\x02\x00\x00\x00\x01\x3e\x0c\x41\x20\x00\x7f\xff\x01\x00\x00\x00\x00\x20\x61\x61" + bytes(8),
    1521,
)
said(
    "oracle",
    b"\x00\x66\x00\x00\x04\x00\x00\x00\x22\x00\x00\x5a(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=12514)(ERROR_STACK=(ERROR=(CODE=12514)(EMFI=4))))",
)
said("clickhouse", b"\x00\x0aClickHouse\x17\x0c\xb3\xa8\x03\x0dEurope/Berlin\x03ch1\x01", 9000)
said("gearman", b"\x00RES\x00\x00\x00\x11\x00\x00\x00\x04ping", 4730)
said("grpc", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"), 50051)
said("msgpack", bytes.fromhex("82a26964 07a46e616d65a3416461".replace(" ", "")))
