"""Any OpenAI-compatible endpoint: hosted, or a server of one's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from synth.errors import BadRequest, TarsError
from synth.models.text_writer import TextWriter
from synth.request import Writer

if TYPE_CHECKING:
    from openai import OpenAI


class ModelProblem(TarsError):
    """The model cannot be reached or would not answer; the message says which, and what to do."""

    code = 7


class ChatEndpoint:
    """A chat model behind an OpenAI-compatible base address; the client keeps the key."""

    def __init__(self, model: str, client: OpenAI) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._client = client

    def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """The reply, whole. Retries with back-off, honouring Retry-After, are the client's own."""
        import openai

        try:
            reply = self._client.chat.completions.create(model=self._model, messages=list(messages), temperature=0)  # type: ignore[arg-type]  # plain dicts are messages
        except openai.AuthenticationError as error:
            raise ModelProblem(f"{self.name}: the endpoint refused the key", "Set OPENAI_API_KEY") from error
        except openai.NotFoundError as error:
            raise ModelProblem(
                f"{self.name}: the endpoint has no such model", "Check TARS_MODEL and OPENAI_BASE_URL"
            ) from error
        except openai.APIConnectionError as error:
            raise ModelProblem(
                f"{self.name}: no answer from {self._client.base_url}", "Check OPENAI_BASE_URL"
            ) from error
        except openai.APIStatusError as error:
            raise ModelProblem(f"{self.name}: the endpoint answered {error.status_code}", "Try again later") from error
        choice = reply.choices[0] if reply.choices else None
        if choice is None or not choice.message.content:
            raise ModelProblem(f"{self.name}: the reply was empty", "Try again, or another model")
        if choice.finish_reason == "length":
            raise ModelProblem(f"{self.name}: the reply was cut off", "Use a model with a longer context")
        return choice.message.content


def create(settings: str = "") -> Writer:
    """`openai:MODEL`, with OPENAI_API_KEY and OPENAI_BASE_URL from the environment."""
    if not settings:
        raise BadRequest("which model?", "Write --model openai:NAME")
    from openai import OpenAI

    key = os.environ.get("OPENAI_API_KEY") or ("none" if os.environ.get("OPENAI_BASE_URL") else "")
    if not key:
        raise ModelProblem(
            f"openai:{settings} needs a key", "Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"
        )
    return TextWriter(ChatEndpoint(settings, OpenAI(api_key=key, timeout=120, max_retries=4)))
