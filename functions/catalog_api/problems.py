"""Errors as RFC 9457 problem documents: `application/problem+json`, one shape for every failure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

CONTENT_TYPE = "application/problem+json"


@dataclass
class Problem(Exception):
    """A request that is answered with an error status.

    `code` names the kind for programs ("invalid-cursor"); without one the status says it all (`about:blank`).
    `errors` lists what is wrong where: `{"detail", "pointer"}` for the body, `{"detail", "parameter"}` for the URL.
    """

    status: int
    detail: str
    code: str = ""
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, request_id: str) -> dict[str, Any]:
        """The problem document; `request_id` is what to quote to the operators."""
        document: dict[str, Any] = {
            "type": f"urn:problem:eventloom:{self.code}" if self.code else "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        return document

    def body(self, request_id: str) -> str:
        """The problem document as JSON text (ASCII, so that what it quotes from a request can't break it)."""
        return json.dumps(self.document(request_id), separators=(",", ":"))


def not_found(what: str) -> Problem:
    """`what` is a noun phrase: "image", "report", "page"."""
    return Problem(404, f"There is no such {what}.")


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """From pydantic's errors (`loc`, `msg`, `type`): says what is wrong where, never repeats the input's values."""
    return Problem(422, "The request is not valid; `errors` says what and where.", "validation", [_located(error) for error in errors[:20]])


def _located(error: Mapping[str, Any]) -> dict[str, str]:
    where, *path = error["loc"]
    detail = str(error["msg"])
    if where == "body":
        return {"detail": detail, "pointer": "#" + "".join(f"/{_pointer_token(part)}" for part in path)}
    return {"detail": detail, "parameter": "/".join(str(part) for part in path)}


def _pointer_token(part: object) -> str:
    return str(part)[:64].replace("~", "~0").replace("/", "~1")
