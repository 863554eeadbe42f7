"""Give moto's shards AWS's sequence numbers, and let its streams be resharded.

The functions replace methods of moto's classes, because a saved state contains objects of these classes. Shards in an
older state have short numbers. Their new records get long numbers, which are greater.
"""
# mypy: disable-error-code="import-untyped"

import time
from itertools import pairwise
from typing import Any

from moto.kinesis import models
from moto.kinesis.exceptions import InvalidArgumentError
from moto.utilities.utils import md5_hash

from embedded_localstack.kinesis.sequence_numbers import Numbering

HASH_KEYS = 2**128
# LocalStack keeps the records of table streams in streams with such names.
TABLE_STREAM = "__ddb_stream_"


def numbering(shard: Any) -> Numbering:
    """Return the numbering of a shard. A shard from an older state counts as created now."""
    created = shard.__dict__.setdefault("created", int(time.time()))
    return Numbering(created, shard._shard_id, getattr(shard, "of_table", False))


def put_record(shard: Any, partition_key: str, data: str, explicit_hash_key: str) -> str:
    """Add a record to a shard and return its sequence number."""
    position = shard.__dict__.get("position", 0) + 1
    shard.position = position
    number = numbering(shard).number(position, int(time.time()))
    record: Any = models.Record(partition_key, data, number, explicit_hash_key)
    record.created_at = int(record.created_at * 1000) / 1000  # CBOR has milliseconds only, so JSON gets the same
    shard.records[number] = record
    return str(number)


def get_records(shard: Any, last_number: str, limit: int | None) -> tuple[list[Any], int, int]:
    """Return the records after a number, the number of the last one, and its lag in milliseconds."""
    last = int(last_number)
    newer = []
    for number, record in reversed(shard.records.items()):
        if number <= last:
            break
        newer.append(record)
    newer.reverse()
    read = newer[:limit]
    if not read:
        return [], last, 0
    return read, read[-1].sequence_number, int((newer[-1].created_at - read[-1].created_at) * 1000)


def get_max_sequence_number(shard: Any) -> int:
    """Return the number of the last record, or 0 if there is none."""
    return next(reversed(shard.records), 0)


def describe(shard: Any) -> dict[str, Any]:
    """Return the description of a shard."""
    numbers = numbering(shard)
    range_ = {"StartingSequenceNumber": str(min([*list(shard.records)[:1], numbers.start]))}
    if not shard.is_open:
        range_["EndingSequenceNumber"] = str(numbers.end(shard.__dict__.get("closed", numbers.created)))
    description = {
        "ShardId": shard.shard_id,
        "HashKeyRange": {
            "StartingHashKey": str(shard.starting_hash),
            "EndingHashKey": str(min(shard.ending_hash, HASH_KEYS - 1)),
        },
        "SequenceNumberRange": range_,
    }
    parents = {"ParentShardId": shard.parent, "AdjacentParentShardId": shard.adjacent_parent}
    return description | {name: parent for name, parent in parents.items() if parent}


def init_shards(stream: Any, count: int) -> None:
    """Create the shards of a new stream."""
    stream.shard_count = count
    bounds = [HASH_KEYS * index // count for index in range(count + 1)]
    for start, end in pairwise(bounds):
        _add(stream, start, end - 1)


def _add(stream: Any, start: int, end: int, *parents: Any) -> Any:
    index = max((shard._shard_id for shard in stream.shards.values()), default=-1) + 1
    shard: Any = models.Shard(index, start, end, *(parent.shard_id for parent in parents))
    # The numbers of a child must be greater than those of its parents, even if all were created in the same second.
    shard.created = max([int(time.time()), *(numbering(parent).created + 1 for parent in parents)])
    shard.of_table = stream.stream_name.startswith(TABLE_STREAM)
    stream.shards[shard.shard_id] = shard
    return shard


def _close(shard: Any) -> None:
    shard.is_open = False
    shard.closed = int(time.time())


def _check_open(stream: Any, shard: Any) -> None:
    if not shard.is_open:
        raise InvalidArgumentError(
            f"Shard {shard.shard_id} in stream {stream.stream_name} under account {stream.account_id} has already been "
            "merged or split, and thus is not eligible for merging or splitting."
        )


def split_shard(stream: Any, shard_id: str, starting_hash_key: str) -> None:
    """Split a shard. Its records stay in it, and later records go to the children."""
    shard, middle = stream.shards[shard_id], int(starting_hash_key)
    if not shard.starting_hash < middle < shard.ending_hash:
        raise InvalidArgumentError(
            f"NewStartingHashKey {middle} used in SplitShard() on shard {shard_id} in stream {stream.stream_name} "
            f"under account {stream.account_id} is not both greater than one plus the shard's StartingHashKey "
            f"{shard.starting_hash} and less than the shard's EndingHashKey {shard.ending_hash}."
        )
    _check_open(stream, shard)
    _close(shard)
    _add(stream, shard.starting_hash, middle - 1, shard)
    _add(stream, middle, shard.ending_hash, shard)
    _count(stream)


def merge_shards(stream: Any, shard_id: str, adjacent_id: str) -> None:
    """Merge two shards. Their records stay in them, and later records go to the child."""
    shards = sorted((stream.shards[shard_id], stream.shards[adjacent_id]), key=lambda shard: int(shard.starting_hash))
    for shard in shards:
        _check_open(stream, shard)
    if shards[0].ending_hash + 1 != shards[1].starting_hash:
        raise InvalidArgumentError(
            f"Shards {shard_id} and {adjacent_id} in stream {stream.stream_name} under account {stream.account_id} are "
            "not an adjacent pair of shards eligible for merging"
        )
    for shard in shards:
        _close(shard)
    _add(stream, shards[0].starting_hash, shards[1].ending_hash, stream.shards[shard_id], stream.shards[adjacent_id])
    _count(stream)


def _count(stream: Any) -> None:
    stream.shard_count = sum(shard.is_open for shard in stream.shards.values())


def get_shard_for_key(stream: Any, partition_key: str, explicit_hash_key: str | None) -> Any:
    """Return the open shard for a partition key or an explicit hash key."""
    if not isinstance(partition_key, str) or len(partition_key) > 256:
        raise InvalidArgumentError("partition_key")
    hashed = int(explicit_hash_key or md5_hash(partition_key.encode()).hexdigest(), 10 if explicit_hash_key else 16)
    for shard in stream.shards.values():
        if shard.is_open and shard.starting_hash <= hashed <= shard.ending_hash:
            return shard
    raise InvalidArgumentError(
        f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {hashed}"
    )


def replace_shards() -> None:
    """Make moto's shards and streams use the functions above."""
    shard: Any = models.Shard
    shard.put_record, shard.get_records, shard.to_json = put_record, get_records, describe
    shard.get_max_sequence_number = get_max_sequence_number
    stream: Any = models.Stream
    stream.init_shards, stream.get_shard_for_key = init_shards, get_shard_for_key
    stream.split_shard, stream.merge_shards = split_shard, merge_shards
