"""Represent every error as an RFC 9457 problem document (`application/problem+json`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

CONTENT_TYPE = "application/problem+json"


@dataclass
class Problem(Exception):
    """An error whose response is a problem document.

    `code` identifies the kind of error for programs ("invalid-cursor"). Without a code, the type is `about:blank`.
    `errors` lists each mistake and its place: `{"detail", "pointer"}` for the body, `{"detail", "parameter"}` for the
    URL. `members` are additional fields for programs.
    """

    status: int
    detail: str
    code: str = ""
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the problem document. Users quote `request_id` when they report an error."""
        document: dict[str, Any] = {
            "type": f"urn:problem:eventloom:{self.code}" if self.code else "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
            **self.members,
        }
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        return document

    def body(self, request_id: str) -> str:
        """Return the problem document as JSON text. It is ASCII, so text from a request cannot break the encoding."""
        return json.dumps(self.document(request_id), separators=(",", ":"))


def not_found(what: str) -> Problem:
    """Return a problem with status 404 for a noun such as "image", "report" or "page"."""
    return Problem(404, f"The {what} does not exist. Check the URL.")


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return a problem with status 422 for pydantic's errors (`loc`, `msg`, `type`), without values of the input."""
    return Problem(
        422,
        "The request is not valid. Correct what `errors` lists and send it again.",
        "validation",
        [_located(error) for error in errors[:20]],
    )


def _located(error: Mapping[str, Any]) -> dict[str, str]:
    where, *path = error["loc"]
    detail = str(error["msg"])
    if where == "body":
        return {"detail": detail, "pointer": "#" + "".join(f"/{_pointer_token(part)}" for part in path)}
    return {"detail": detail, "parameter": "/".join(str(part) for part in path)}


def _pointer_token(part: object) -> str:
    return str(part)[:64].replace("~", "~0").replace("/", "~1")
