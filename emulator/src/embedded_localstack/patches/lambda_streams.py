"""Poll the shards of a stream independently, follow resharding, and remember the position in each shard.

LocalStack polls one shard at a time, so a batch that is retried holds up the other shards. When a shard ends,
LocalStack reads all shards again from the beginning.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import batched
from typing import Any

from embedded_localstack.patches.kinesis_changes import Quiet, changes

LOG = logging.getLogger(__name__)
# How long a round waits for the shards that it polls. If a batch takes longer, its shard is skipped until it is done.
ROUND_SECONDS = 1
# How long a mapping that ends waits for its batches.
DRAIN_SECONDS = 30
# The position in a closed shard after all its records were handled.
FINISHED = ""


class Turn(threading.Thread):
    """A thread that works on one shard. `error` is the exception that the work raised."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self.error: Exception | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self._work()
        except Exception as error:
            self.error = error


def run_all(turns: Iterable[Turn]) -> None:
    """Run the turns at the same time, and raise the first error."""
    turns = list(turns)
    for turn in turns:
        turn.start()
    for turn in turns:
        turn.join()
    for turn in turns:
        if turn.error:
            raise turn.error


def readable(shards: list[dict[str, Any]], positions: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Return the shards that can be read and have no position, and whether they must be read from their beginning.

    Args:
        shards: descriptions in the form of DescribeStream.
        positions: the position in each shard that is read or was read; FINISHED if it was read to its end.
    """
    known: set[str | None] = {shard["ShardId"] for shard in shards}
    unread = []
    for shard in shards:
        parents = known.intersection((shard.get("ParentShardId"), shard.get("AdjacentParentShardId")))
        if shard["ShardId"] not in positions and all(positions.get(str(parent)) == FINISHED for parent in parents):
            unread.append((shard["ShardId"], bool(parents)))
    return unread


def closed(shards: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the closed shards, which get no new records."""
    return [shard["ShardId"] for shard in shards if shard["SequenceNumberRange"].get("EndingSequenceNumber")]


def lanes(records: list[Any], key: Callable[[Any], str], count: int) -> list[list[Any]]:
    """Divide records among at most `count` lanes. Records with the same key stay in one lane and in order."""
    divided: dict[int, list[Any]] = {}
    for record in records:
        divided.setdefault(zlib.crc32(key(record).encode()) % count, []).append(record)
    return list(divided.values())


def partition_key(record: Mapping[str, Any]) -> str:
    """Return the key that assigns a record to one of the parallel batches."""
    if "PartitionKey" in record:
        return str(record["PartitionKey"])
    return json.dumps(record["dynamodb"].get("Keys"), sort_keys=True, default=str)


def install(pollers: list[Any]) -> None:
    """Replace the polling of streams, and the way in which `pollers` find their shards."""
    from localstack.utils.patch import Patch  # noqa: PLC0415 - only a running server has it

    poller = _localstack().StreamPoller
    poller.repeated_errors = (_localstack().PipeInternalError,)  # the next round tries again
    replaced = {"poll_events": poll_events, "poll_events_from_shard": poll_events_from_shard, "close": close}
    for name, method in replaced.items():
        getattr(poller, name)  # fails if LocalStack has none
        Patch(poller, name, method).apply()
    for source in pollers:
        Patch(source, "initialize_shards", initialize_shards).apply()


def _localstack() -> Any:
    from localstack.services.lambda_.event_source_mapping.pollers import stream_poller  # noqa: PLC0415 - see install

    return stream_poller


def poll_events(self: Any) -> None:
    """Poll the shards that may have records, except those whose batch is still being handled."""
    if not self.shards or self.__dict__.pop("stale", False):
        with lock_of(self):
            self.shards = self.initialize_shards()
    if not self.shards:
        raise _localstack().EmptyPollResultsException(service=self.event_source(), source_arn=self.source_arn)
    at_work, quiet = self.__dict__.setdefault("turns", {}), quiet_shards(self)
    started = {
        shard: Turn(f"esm-{shard}", partial(self.poll_events_from_shard, shard, iterator))
        for shard, iterator in list(self.shards.items())
        if shard not in at_work and not quiet.holds(shard)
    }
    at_work.update(started)
    for turn in started.values():
        turn.start()
    deadline = time.monotonic() + ROUND_SECONDS
    for turn in started.values():
        turn.join(max(0, deadline - time.monotonic()))
    done = {shard: turn for shard, turn in at_work.items() if not turn.is_alive()}
    for shard in done:
        del at_work[shard]
    for turn in done.values():
        if turn.error and not isinstance(turn.error, self.repeated_errors):
            raise turn.error


def poll_events_from_shard(self: Any, shard: str, iterator: str) -> None:
    """Read a shard once, and handle its records when a batch is complete."""
    self.checkpoints.setdefault(shard, iterator)
    number = changes.number
    answer = self.get_records(iterator)
    following = answer.get("NextShardIterator")
    batcher = self.shard_batcher[shard]
    if batcher.add(answer.get("Records", [])) or not following:
        try:
            handle(self, shard, batcher.flush())
        except BaseException:
            with lock_of(self):
                self.shards[shard] = self.checkpoints[shard]
            raise
    # A batch is not handled if its retries were interrupted because the mapping ended.
    if self._is_shutdown.is_set():
        return
    with lock_of(self):
        if following:
            self.shards[shard] = following
        else:
            self.shards.pop(shard, None)
            self.stale = True
        waiting = batcher.get_current_size()
        if not waiting:
            self.checkpoints[shard] = following or FINISHED
    quiet_shards(self).note(shard, number, empty=bool(following) and not waiting and not answer.get("Records"))


def handle(self: Any, shard: str, records: list[Any]) -> None:
    """Send records to the function, in parallel lanes if the mapping has them."""
    size, parallel = self.stream_parameters.get("BatchSize"), getattr(self, "parallelization_factor", 1)

    def in_order(lane: list[Any]) -> None:
        for batch in batched(lane, size, strict=False):
            self.forward_events_to_target(shard, list(batch))

    if parallel == 1:
        in_order(records)
        return
    run_all(Turn(f"esm-{shard}-lane", partial(in_order, lane)) for lane in lanes(records, partition_key, parallel))


def initialize_shards(self: Any) -> dict[str, str]:
    """Return the iterators of the shards that are already being read and of the new shards."""
    shards = descriptions(self)
    begin_late = self.stream_parameters["StartingPosition"] == "LATEST"
    if begin_late and not self.checkpoints:
        self.checkpoints.update(dict.fromkeys(closed(shards), FINISHED))
        children = [(shard["ShardId"], False) for shard in shards if shard["ShardId"] not in self.checkpoints]
    else:
        children = readable(shards, self.checkpoints)
    iterators = {shard: self.shards.get(shard) or position for shard, position in self.checkpoints.items() if position}
    for shard, from_beginning in children:
        iterators[shard] = self.checkpoints[shard] = first_iterator(self, shard, from_beginning=from_beginning)
    return iterators


def close(self: Any) -> None:
    """End the polling. Running batches are finished; batches that wait for a retry are not."""
    self._is_shutdown.set()
    deadline = time.monotonic() + DRAIN_SECONDS
    for turn in list(self.__dict__.get("turns", {}).values()):
        turn.join(max(0, deadline - time.monotonic()))


def lock_of(poller: Any) -> Any:
    """Return the lock of a poller's positions, which the threads of its shards change."""
    return poller.__dict__.setdefault("positions_lock", threading.RLock())


def quiet_shards(poller: Any) -> Quiet:
    """Return the shards of a poller that need not be read until a stream changes."""
    quiet: Quiet = poller.__dict__.setdefault("quiet", Quiet())
    return quiet


def descriptions(poller: Any) -> list[dict[str, Any]]:
    """Return the descriptions of all shards of a poller's stream; none if it is not active."""
    parameter = arn_parameter(poller)
    shards: list[dict[str, Any]] = []
    start: dict[str, str] = {}
    while True:
        stream = poller.source_client.describe_stream(**parameter, **start)["StreamDescription"]
        if stream["StreamStatus"] not in ("ACTIVE", "ENABLED"):
            LOG.warning("stream %s is %s", poller.source_arn, stream["StreamStatus"])
            return []
        shards += stream["Shards"]
        if not stream.get("HasMoreShards") or not stream["Shards"]:
            return shards
        start = {"ExclusiveStartShardId": shards[-1]["ShardId"]}


def arn_parameter(poller: Any) -> dict[str, str]:
    """Return the parameter that names the stream.

    LocalStack returns none for table streams, because their GetRecords has no such parameter.
    """
    return poller.stream_arn_param() or {"StreamArn": poller.source_arn}


def first_iterator(poller: Any, shard: str, *, from_beginning: bool) -> str:
    """Return the iterator at which a mapping begins to read a shard. It reads a child of a shard from the beginning."""
    position = "TRIM_HORIZON" if from_beginning else poller.stream_parameters["StartingPosition"]
    moment = {}
    if position == "AT_TIMESTAMP":
        moment = {"Timestamp": poller.stream_parameters["StartingPositionTimestamp"]}
    answer = poller.source_client.get_shard_iterator(
        **arn_parameter(poller), ShardId=shard, ShardIteratorType=position, **moment
    )
    return str(answer["ShardIterator"])
