"""Sequencers decide what an event changes."""

import dataclasses

import pytest

from shared.sequencers import padded
from thumbnailer.events import Kind, ObjectEvent
from thumbnailer.ordering import Decision, Recorded, Version, decide, is_newer

UPLOAD = ObjectEvent(
    Kind.CREATED, "ObjectCreated:Put", "b", "k", "v2", "0055AED6DCD90281E6", "e2", 1, "2026-11-23T10:00:00.000Z"
)
SAME = Recorded("READY", "v2", "e2", UPLOAD.sequencer)
OTHER = Recorded("READY", "v1", "e1", UPLOAD.sequencer)
DELETED = Recorded("DELETED", "m1", None, UPLOAD.sequencer)


def sequenced(recorded: Recorded, sequencer: str | None) -> Recorded:
    return dataclasses.replace(recorded, sequencer=sequencer)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("0055AED6DCD90281E5", "0055AED6DCD90281E6"), ("0055AED6DCD9", "0055AED6DCD90001"), ("9", "A1"), ("a1", "B")],
)
def test_sequencers_are_compared_as_padded_text(earlier: str, later: str) -> None:
    """S3's documentation says: pad the shorter sequencer on the right, and compare both as text."""
    assert padded(earlier) < padded(later)
    assert padded("55") == padded("5500")
    assert is_newer(dataclasses.replace(UPLOAD, sequencer=later), sequenced(OTHER, earlier))
    assert decide(dataclasses.replace(UPLOAD, sequencer=earlier), sequenced(OTHER, later)) is Decision.STALE


@pytest.mark.parametrize(
    ("recorded", "decision"),
    [
        (None, Decision.TAKE),
        (SAME, Decision.DUPLICATE),
        (OTHER, Decision.ASK),
        (DELETED, Decision.ASK),
        (sequenced(OTHER, "00"), Decision.TAKE),
        (sequenced(SAME, "00"), Decision.TAKE),
        (sequenced(OTHER, "FF"), Decision.STALE),
        (sequenced(SAME, "FF"), Decision.STALE),
        (sequenced(OTHER, None), Decision.ASK),
        (sequenced(SAME, None), Decision.DUPLICATE),
    ],
)
def test_an_upload_is_compared_with_what_is_recorded(recorded: Recorded | None, decision: Decision) -> None:
    """If sequencers don't decide, S3 is asked, but not about a version that is recorded already."""
    assert decide(UPLOAD, recorded) is decision


@pytest.mark.parametrize("kind", [Kind.CREATED, Kind.DELETED])
@pytest.mark.parametrize("recorded", [None, OTHER, sequenced(OTHER, "00"), sequenced(OTHER, None)])
def test_s3_is_asked_about_an_event_without_a_sequencer(kind: Kind, recorded: Recorded | None) -> None:
    """An operator's event asks for a look at the object, and does not say what is current."""
    assert decide(dataclasses.replace(UPLOAD, kind=kind, version_id=None, sequencer=None), recorded) is Decision.ASK


def test_a_request_to_process_again_is_not_a_duplicate() -> None:
    remake = dataclasses.replace(UPLOAD, name="ObjectCreated:Remake", sequencer=None)
    assert decide(remake, SAME) is Decision.ASK
    assert decide(dataclasses.replace(remake, name="ObjectCreated:Backfill"), SAME) is Decision.DUPLICATE


@pytest.mark.parametrize(
    ("recorded", "decision"),
    [
        (None, Decision.ASK),
        (sequenced(OTHER, "00"), Decision.ASK),
        (OTHER, Decision.ASK),
        (sequenced(OTHER, "FF"), Decision.STALE),
    ],
)
def test_s3_is_asked_after_a_version_is_removed(recorded: Recorded | None, decision: Decision) -> None:
    """Only S3 knows which version is current then."""
    assert decide(dataclasses.replace(UPLOAD, kind=Kind.VERSION_REMOVED), recorded) is decision


@pytest.mark.parametrize(
    ("recorded", "decision"),
    [
        (None, Decision.TAKE),
        (sequenced(OTHER, "00"), Decision.TAKE),
        (DELETED, Decision.DUPLICATE),
        (SAME, Decision.ASK),
        (sequenced(DELETED, None), Decision.DUPLICATE),
        (dataclasses.replace(DELETED, version_id="m0"), Decision.ASK),
    ],
)
def test_a_deletion_is_compared_with_what_is_recorded(recorded: Recorded | None, decision: Decision) -> None:
    """A delete marker has its own version."""
    assert decide(dataclasses.replace(UPLOAD, kind=Kind.DELETED, version_id="m1", etag=None), recorded) is decision


def test_contents_are_distinguished_by_version_or_etag() -> None:
    """ETags are compared only without versions: two versions of the same content are two versions."""
    assert Version("v", "e").is_same_as("v", "other")
    assert not Version("v", "e").is_same_as("w", "e")
    assert Version(None, "e").is_same_as(None, "e")
    assert not Version("v", "e").is_same_as(None, "e")
    assert not Version(None, "e").is_same_as("v", "e")
