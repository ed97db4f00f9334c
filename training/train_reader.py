"""Trains the learned reader: `python -m training.train_reader OUT --start MINILM --data FILE[:WEIGHT] … --minutes 60`.

A run ends when its time is over or by SIGTERM, writes what it has every few minutes, and goes on from there with --resume.
The rate of learning rises at first, stays, and falls linearly over the last `--fall` part of the time.
"""

from __future__ import annotations

import argparse
import pickle
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training.grammar import INDEX, TOKENS
from training.reader_model import Reader, take_weights

Raw = tuple[list[int], list[int], list[tuple[int, int, int]], list[int], str]


def batch_of(raws: list[Raw]) -> dict[str, Tensor]:
    """Padded tensors of some examples; `wanted` is -100 where nothing is asked."""
    b = len(raws)
    s = max(len(r[0]) for r in raws)
    n = max(len(r[2]) for r in raws)
    t = max(len(r[3]) for r in raws)
    found = {
        "ids": torch.zeros(b, s, dtype=torch.long),
        "roles": torch.zeros(b, s, dtype=torch.long),
        "mask": torch.zeros(b, s, dtype=torch.long),
        "kinds": torch.zeros(b, n, dtype=torch.long),
        "starts": torch.zeros(b, n, dtype=torch.long),
        "ends": torch.zeros(b, n, dtype=torch.long),
        "item_mask": torch.zeros(b, n, dtype=torch.long),
        "written": torch.full((b, t), INDEX["PAD"], dtype=torch.long),
        "wanted": torch.full((b, t), -100, dtype=torch.long),
    }
    for at, (ids, roles, items, target, _) in enumerate(raws):
        found["ids"][at, : len(ids)] = torch.tensor(ids)
        found["roles"][at, : len(ids)] = torch.tensor(roles)
        found["mask"][at, : len(ids)] = 1
        every = torch.tensor(items)
        found["kinds"][at, : len(items)] = every[:, 0]
        found["starts"][at, : len(items)] = every[:, 1]
        found["ends"][at, : len(items)] = every[:, 2]
        found["item_mask"][at, : len(items)] = 1
        found["written"][at, : len(target)] = torch.tensor([INDEX["BEGIN"], *target[:-1]])
        found["wanted"][at, : len(target)] = torch.tensor(target)
    return found


def batches(files: list[tuple[Path, float]], pieces: int, rng: random.Random) -> Iterator[list[Raw]]:
    """Batches of examples of like length, for ever; each file as often as its weight says. A file that was written anew is
    read again."""
    seen: dict[Path, tuple[float, list[Raw]]] = {}
    while True:
        pool: list[Raw] = []
        for path, weight in files:
            if not path.exists():
                continue
            stamp = path.stat().st_mtime
            if path not in seen or seen[path][0] != stamp:
                seen[path] = (stamp, pickle.loads(path.read_bytes()))  # our own file
                print(f"{path.name}: {len(seen[path][1])} examples", flush=True)
            examples = seen[path][1]
            count = int(8000 * weight)
            pool += rng.sample(examples, count) if count <= len(examples) else rng.choices(examples, k=count)
        rng.shuffle(pool)
        for start in range(0, len(pool), 2048):
            near = sorted(pool[start : start + 2048], key=lambda r: len(r[0]))
            groups: list[list[Raw]] = []
            now: list[Raw] = []
            for raw in near:
                if now and (len(now) + 1) * len(raw[0]) > pieces:
                    groups.append(now)
                    now = []
                now.append(raw)
            groups.append(now)
            rng.shuffle(groups)
            yield from groups


def loss_of(reader: Reader, batch: dict[str, Tensor]) -> Tensor:
    """Cross entropy of each next token."""
    scores = reader(batch)
    return functional.cross_entropy(scores.float().flatten(0, 1), batch["wanted"].flatten(), ignore_index=-100)


@torch.no_grad()
def exact(reader: Reader, raws: list[Raw]) -> tuple[float, float]:
    """The share of targets of which every token was scored first, given the ones before, and the mean loss."""
    reader.eval()
    right, losses = 0, []
    near = sorted(raws, key=lambda r: len(r[0]))
    for start in range(0, len(near), 64):
        group = near[start : start + 64]
        batch = batch_of(group)
        with torch.autocast("cpu", torch.bfloat16):
            scores = reader(batch)
        hit = (scores.argmax(-1) == batch["wanted"]) | (batch["wanted"] == -100)
        right += int(hit.all(1).sum())
        losses.append(
            float(functional.cross_entropy(scores.float().flatten(0, 1), batch["wanted"].flatten(), ignore_index=-100))
        )
    reader.train()
    return right / len(raws), sum(losses) / len(losses)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", type=Path, help="the folder of all-MiniLM-L6-v2")
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--check", nargs="*", default=[])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--fall", type=float, default=0.4)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--pieces", type=int, default=3072)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(2)
    rng = random.Random(given.seed)
    reader = Reader()
    if given.start:
        take_weights(reader, given.start)
    reader.encoder.words.weight.requires_grad_(False)
    fresh = [
        p
        for n, p in reader.named_parameters()
        if n.startswith(("decoder", "encoder.item", "encoder.kinds", "encoder.roles"))
    ]
    known = {id(p) for p in fresh}
    old = [p for p in reader.parameters() if p.requires_grad and id(p) not in known]
    optimizer = torch.optim.AdamW(
        [
            {"params": old, "lr": given.rate, "scale": given.rate},
            {"params": fresh, "lr": given.rate * 4, "scale": given.rate * 4},
        ],
        weight_decay=0.01,
        betas=(0.9, 0.98),
        fused=True,
    )
    if given.resume:
        state: dict[str, Any] = torch.load(given.resume, weights_only=True)
        reader.load_state_dict(state["reader"])
        if "optimizer" in state:
            optimizer.load_state_dict(state["optimizer"])
            for group, scale in zip(optimizer.param_groups, (given.rate, given.rate * 4), strict=True):
                group["scale"] = scale
    files = [(Path(f.rpartition(":")[0] or f), float(f.rpartition(":")[2]) if ":" in f else 1.0) for f in given.data]
    checks = [
        (Path(f), random.Random(3).sample(raws, min(400, len(raws))))
        for f in given.check
        for raws in [pickle.loads(Path(f).read_bytes())]
    ]
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    started = saved = time.monotonic()
    seconds = given.minutes * 60
    losses: list[float] = []
    count = 0
    for step, raws in enumerate(batches(files, given.pieces, rng)):
        spent = (time.monotonic() - started) / seconds
        if stopped or spent >= 1:
            break
        rate = min(1.0, (step + 1) / 200, (1 - spent) / given.fall if given.fall else 1.0)
        for group in optimizer.param_groups:
            group["lr"] = group["scale"] * max(rate, 0.02)
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(reader, batch_of(raws))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        count += len(raws)
        if step % 100 == 99:
            passed = time.monotonic() - started
            print(
                f"{passed / 60:6.1f} min, step {step + 1}, {count} examples, {count / passed:.0f}/s, "
                f"loss {sum(losses[-100:]) / 100:.3f}",
                flush=True,
            )
        if time.monotonic() - saved > 420:
            _save(given.out, reader, optimizer)
            saved = time.monotonic()
            for path, some in checks:
                share, mean = exact(reader, some)
                print(f"        {path.name}: all tokens right {share:.3f}, loss {mean:.3f}", flush=True)
    _save(given.out, reader, optimizer)
    for path, some in checks:
        share, mean = exact(reader, some)
        print(
            f"at the end {path.name}: all tokens right {share:.3f}, loss {mean:.3f} ({len(TOKENS)} fixed tokens)",
            flush=True,
        )


def _save(path: Path, reader: Reader, optimizer: torch.optim.Optimizer) -> None:
    """Whole or not at all."""
    torch.save({"reader": reader.state_dict(), "optimizer": optimizer.state_dict()}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


if __name__ == "__main__":
    main()
