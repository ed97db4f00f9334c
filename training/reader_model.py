"""The learned reader in torch: a MiniLM encoder over request and schema, and a small decoder that points at its items.

The encoder is BERT's (Devlin et al., 2019) in the size of all-MiniLM-L6-v2; the pointers are Vinyals et al.'s (2015), over
one list of fixed tokens and items.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.features import ITEMS, ROLES
from training.grammar import TOKENS

WIDTH = 384
HEADS = 12
LAYERS = 6
DECODER_LAYERS = 2
DECODER_INNER = 1024
LONGEST_TARGET = 64


class Attention(nn.Module):
    """Multi-head attention of `x` over `memory`."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.q = nn.Linear(WIDTH, WIDTH)
        self.k = nn.Linear(WIDTH, WIDTH)
        self.v = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.dropout = dropout

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """x: [B, T, W], memory: [B, S, W], mask: [B, 1, T or 1, S], added to the scores."""
        b, t, _ = x.shape
        s = memory.shape[1]
        q = self.q(x).view(b, t, HEADS, -1).transpose(1, 2)
        k = self.k(memory).view(b, s, HEADS, -1).transpose(1, 2)
        v = self.v(memory).view(b, s, HEADS, -1).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(q, k, v, mask, self.dropout if self.training else 0.0)
        return self.out(mixed.transpose(1, 2).reshape(b, t, WIDTH))


class EncoderLayer(nn.Module):
    """BERT's layer: norms behind."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(dropout)
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: [B, S, W]."""
        x = self.norm1(x + self.drop(self.attention(x, x, mask)))
        return self.norm2(x + self.drop(self.down(functional.gelu(self.up(x)))))


class DecoderLayer(nn.Module):
    """Norms before; attends to what was written and to the encoder's states."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.own = Attention(dropout)
        self.cross = Attention(dropout)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.norm3 = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, DECODER_INNER)
        self.down = nn.Linear(DECODER_INNER, WIDTH)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, causal: Tensor, mask: Tensor) -> Tensor:
        """x: [B, T, W]; memory: [B, S, W]."""
        own = self.norm1(x)
        x = x + self.drop(self.own(own, own, causal))
        x = x + self.drop(self.cross(self.norm2(x), memory, mask))
        return x + self.drop(self.down(functional.gelu(self.up(self.norm3(x)))))


class Encoder(nn.Module):
    """Pieces to states, and items to their representation."""

    def __init__(self, pieces: int = 30522, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(pieces, WIDTH)
        self.places = nn.Embedding(512, WIDTH)
        self.roles = nn.Embedding(len(ROLES), WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.ModuleList(EncoderLayer(dropout) for _ in range(LAYERS))
        self.item = nn.Linear(WIDTH, WIDTH)
        self.kinds = nn.Embedding(len(ITEMS), WIDTH)
        self.item_norm = nn.LayerNorm(WIDTH)
        nn.init.zeros_(self.roles.weight)

    def forward(
        self, ids: Tensor, roles: Tensor, mask: Tensor, kinds: Tensor, starts: Tensor, ends: Tensor
    ) -> tuple[Tensor, Tensor]:
        """ids, roles, mask (1 = a piece): [B, S]; kinds, starts, ends: [B, N]. Gives states [B, S, W], items [B, N, W]."""
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.drop(self.norm(self.words(ids) + self.places(places) + self.roles(roles)))
        added = ((1 - mask.to(x.dtype)) * -1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, added)
        summed = functional.pad(torch.cumsum(x.float() * mask.to(torch.float32)[:, :, None], 1), (0, 0, 1, 0))
        wide = starts[:, :, None].expand(-1, -1, WIDTH)
        until = ends[:, :, None].expand(-1, -1, WIDTH)
        means = (torch.gather(summed, 1, until) - torch.gather(summed, 1, wide)) / (ends - starts).clamp(min=1)[
            :, :, None
        ]
        return x, self.item_norm(self.item(means) + self.kinds(kinds))


class Decoder(nn.Module):
    """What was written so far to the scores of what comes next."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.tokens = nn.Embedding(len(TOKENS), WIDTH)
        self.said = nn.Linear(WIDTH, WIDTH)
        self.places = nn.Embedding(LONGEST_TARGET, WIDTH)
        self.layers = nn.ModuleList(DecoderLayer(dropout) for _ in range(DECODER_LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.to_fixed = nn.Linear(WIDTH, len(TOKENS))
        self.to_items = nn.Linear(WIDTH, WIDTH)
        nn.init.normal_(self.tokens.weight, std=0.5)
        nn.init.normal_(self.places.weight, std=0.1)

    def forward(self, written: Tensor, states: Tensor, mask: Tensor, items: Tensor, item_mask: Tensor) -> Tensor:
        """written: [B, T], a fixed token or len(TOKENS) + item; gives scores [B, T, len(TOKENS) + N]."""
        fixed = self.tokens.num_embeddings
        pointed = torch.gather(items, 1, (written - fixed).clamp(min=0)[:, :, None].expand(-1, -1, WIDTH))
        x = torch.where((written < fixed)[:, :, None], self.tokens(written.clamp(max=fixed - 1)), self.said(pointed))
        x = x + self.places(torch.arange(written.shape[1], device=written.device))
        t = written.shape[1]
        causal = torch.full((t, t), -1e4, dtype=x.dtype, device=x.device).triu(1)[None, None]
        added = ((1 - mask.to(x.dtype)) * -1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, states, causal, added)
        x = self.norm(x)
        scores = torch.matmul(self.to_items(x), items.to(x.dtype).transpose(1, 2)) / WIDTH**0.5
        scores = scores + ((1 - item_mask.to(x.dtype)) * -1e4)[:, None, :]
        return torch.cat([self.to_fixed(x), scores], -1)


class Reader(nn.Module):
    """Both together, as they are trained."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = Encoder(dropout=dropout)
        self.decoder = Decoder(dropout)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Scores of each next token: [B, T, len(TOKENS) + N]."""
        states, items = self.encoder(
            batch["ids"], batch["roles"], batch["mask"], batch["kinds"], batch["starts"], batch["ends"]
        )
        return self.decoder(batch["written"], states, batch["mask"], items, batch["item_mask"])  # type: ignore[no-any-return]  # torch's call


def take_weights(reader: Reader, folder: Path) -> None:
    """Start the encoder from all-MiniLM-L6-v2's weights."""
    from safetensors.torch import load_file

    old = {name.removeprefix("bert."): tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    own = reader.encoder
    with torch.no_grad():
        own.words.weight.copy_(old["embeddings.word_embeddings.weight"])
        own.places.weight.copy_(
            old["embeddings.position_embeddings.weight"] + old["embeddings.token_type_embeddings.weight"][0]
        )
        own.norm.weight.copy_(old["embeddings.LayerNorm.weight"])
        own.norm.bias.copy_(old["embeddings.LayerNorm.bias"])
        for n, layer in enumerate(own.layers):
            at = f"encoder.layer.{n}."
            pairs = (
                (layer.attention.q, "attention.self.query"),
                (layer.attention.k, "attention.self.key"),
                (layer.attention.v, "attention.self.value"),
                (layer.attention.out, "attention.output.dense"),
                (layer.norm1, "attention.output.LayerNorm"),
                (layer.up, "intermediate.dense"),
                (layer.down, "output.dense"),
                (layer.norm2, "output.LayerNorm"),
            )
            for module, name in pairs:
                module.weight.copy_(old[f"{at}{name}.weight"])
                module.bias.copy_(old[f"{at}{name}.bias"])
