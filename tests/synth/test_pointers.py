"""What an environment and a folder's configuration point to is found, and no secret of theirs is shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from synth.pointers import pointers

SECRETS = [
    "hunter2secret",
    "p4ssw0rdx",
    "composesecret",
    "k8spass99",
    "b64passw0rd",
    "appsettingspw",
    "propspw",
    "gpw12345",
]
FILES = {
    ".env": """
# for development
DATABASE_URL=postgres://shop:hunter2secret@db.internal:5432/shop
export REDIS_URL="redis://:p4ssw0rdx@cache:6379/0"
DEBUG=true
MQ_HOST=rabbit.internal
MQ_PORT=5672
LOGO=https://cdn.example.com/logo.png
DATA=/var/lib/data
""",
    "docker-compose.yml": """
services:
  db:
    image: postgres:16
    ports: ["5433:5432"]
    environment:
      POSTGRES_PASSWORD: composesecret
  search:
    image: docker.elastic.co/elasticsearch/elasticsearch:8.14.0
    ports:
      - "127.0.0.1:9200:9200"
  app:
    build: .
    environment:
      - KAFKA_BROKERS=kafka1:9092,kafka2:9092
""",
    "k8s/app.yaml": """
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: app
          env:
            - name: MONGO_URI
              value: mongodb://svc:k8spass99@mongo.prod:27017/app
---
kind: Secret
data:
  url: """
    + base64.b64encode(b"postgresql://report:b64passw0rd@dwh:5432/dwh").decode(),
    "appsettings.json": '{"ConnectionStrings": {"Main": "Server=sql.corp,1433;Database=crm;User Id=app;Password=appsettingspw;"}}',
    "application.properties": "spring.datasource.url=jdbc:mysql://mysql.corp:3306/app?user=a&password=propspw",
    "infra/main.tf": 'resource "x" "y" {\n  bucket = "s3://company-exports/daily"\n}\n',
    "config.toml": '[store]\nurl = "clickhouse://analytics:8123/default"\n',
    "settings.ini": "[mail]\nrelay = smtp://mail.corp:587\n",
    "node_modules/x/c.json": '{"u": "postgres://no:no@skipped/x"}',
    ".git/config.json": '{"u": "postgres://no:no@hidden/x"}',
    "broken.yaml": "a: [1, 2\nb: }",
    "broken.json": '{"a": ',
    "notes.md": "postgres://no:no@prose/x",
}  # fmt: skip
EXPECTED = {
    ("environment: AMQP_URL", "amqp://guest:***@mq.corp/", "rabbitmq"),
    (".env: DATABASE_URL", "postgres://shop:***@db.internal:5432/shop", "postgresql"),
    (".env: REDIS_URL", "redis://:***@cache:6379/0", "redis"),
    (".env: MQ_*", "rabbit.internal:5672", "rabbitmq"),
    ("application.properties: spring.datasource.url", "jdbc:mysql://mysql.corp:3306/app?user=a&password=***", "mysql"),
    (
        "appsettings.json: ConnectionStrings.Main",
        "Server=sql.corp,1433;Database=crm;User Id=app;Password=***;",
        "mssql",
    ),
    ("config.toml: store.url", "clickhouse://analytics:8123/default", "clickhouse"),
    ("docker-compose.yml: KAFKA_BROKERS", "kafka1:9092,kafka2:9092", "kafka"),
    ("docker-compose.yml: db", "postgresql://localhost:5433", "postgresql"),
    ("docker-compose.yml: search", "elasticsearch://localhost:9200", "elasticsearch"),
    ("infra/main.tf: bucket", "s3://company-exports/daily", "s3"),
    ("k8s/app.yaml: MONGO_URI", "mongodb://svc:***@mongo.prod:27017/app", "mongodb"),
    ("k8s/app.yaml: data.url", "postgresql://report:***@dwh:5432/dwh", "postgresql"),
    ("settings.ini: mail.relay", "smtp://mail.corp:587", "smtp"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_services_are_found_wherever_they_are_named(project: Path) -> None:
    found = list(pointers(project, {"AMQP_URL": "amqp://guest:gpw12345@mq.corp/", "HOME": "/root", "N": "8080"}))

    assert {(p.where, p.source, p.kind) for p in found} == EXPECTED
    assert not [secret for secret in SECRETS if secret in str(found)]


def test_links_out_of_the_folder_and_special_files_are_left_alone(tmp_path: Path) -> None:
    import os

    outside = tmp_path / "outside.env"
    outside.write_text("A=postgres://u:p@h/x\n")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "linked.env").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.env")

    assert list(pointers(folder, {})) == []
