"""Handle Kinesis requests with moto, and correct the responses that differ from AWS."""
# mypy: disable-error-code="import-untyped"

import json
from base64 import b64decode
from functools import cache
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kinesis import models, urls
from moto.kinesis.exceptions import RecordSizeExceedsLimit
from moto.kinesis.responses import KinesisResponse
from moto.kinesis.utils import decompose_shard_iterator

from embedded_localstack.kinesis.shards import replace_shards

# The default limit of a stream, which includes the partition key:
# https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
RECORD_BYTES = 1024 * 1024
ON_DEMAND = "ON_DEMAND"


class Handler(KinesisResponse):
    """moto's request handler for Kinesis, with the responses of AWS."""

    def create_stream(self) -> Any:
        """Answer CreateStream. A stream without a number of shards is on demand. moto drops the tags."""
        mode = self._get_param("StreamModeDetails")
        count = self._get_param("ShardCount")
        if not mode and count is None:
            mode = {"StreamMode": ON_DEMAND}
        on_demand = bool(mode) and mode["StreamMode"] == ON_DEMAND
        if on_demand == (count is not None):
            raise JsonRESTError(
                "ValidationException",
                "ShardCount must not be provided when StreamMode is ON_DEMAND."
                if on_demand
                else "ShardCount must be provided when StreamMode is PROVISIONED.",
            )
        name = self._get_param("StreamName")
        self.kinesis_backend.create_stream(name, count, stream_mode=mode)
        if tags := self._get_param("Tags"):
            self.kinesis_backend.add_tags_to_stream(None, name, tags)
        return ""

    def describe_stream(self) -> Any:
        """Answer DescribeStream. moto lacks the stream mode and ExclusiveStartShardId."""
        answer = json.loads(str(super().describe_stream()))
        description = answer["StreamDescription"]
        stream = self.kinesis_backend.describe_stream(description["StreamARN"], description["StreamName"])
        description["StreamModeDetails"] = stream.stream_mode
        if start := self._get_param("ExclusiveStartShardId"):
            after = [shard.to_json() for name, shard in stream.shards.items() if name > start]
            limit = self._get_param("Limit") or len(after)
            description["Shards"], description["HasMoreShards"] = after[:limit], len(after) > limit
        return json.dumps(answer)

    def put_record(self) -> Any:
        """Answer PutRecord. moto checks only the sizes of PutRecords."""
        if len(b64decode(self._get_param("Data") or "")) + len(self._get_param("PartitionKey") or "") > RECORD_BYTES:
            raise RecordSizeExceedsLimit(position=1)
        return super().put_record()

    def get_records(self) -> Any:
        """Answer GetRecords. After the last record of a closed shard, the response has child shards and no iterator."""
        iterator = self._get_param("ShardIterator").strip('"')  # AWS accepts an iterator in quotes
        arn = self._get_param("StreamARN")
        following, records, late = self.kinesis_backend.get_records(arn, iterator, self._get_param("Limit"))
        name, shard_id, last = decompose_shard_iterator(following)
        answer: dict[str, Any] = {
            "NextShardIterator": following,
            "Records": [record.to_json() for record in records],
            "MillisBehindLatest": late,
        }
        stream = self.kinesis_backend.describe_stream(arn, name)
        shard = stream.shards[shard_id]
        if not shard.is_open and int(last) >= shard.get_max_sequence_number():
            del answer["NextShardIterator"]
            answer["ChildShards"] = [_child(child) for child in stream.shards.values() if shard_id in _parents(child)]
        return json.dumps(answer)

    def deregister_stream_consumer(self) -> Any:
        """Answer DeregisterStreamConsumer. Given a consumer name, moto would remove all other consumers."""
        arn, name = self._get_param("StreamARN"), self._get_param("ConsumerName")
        consumer = self.kinesis_backend.describe_stream_consumer(arn, name, self._get_param("ConsumerARN"))
        self.kinesis_backend.deregister_stream_consumer("", "", consumer.consumer_arn)
        return "{}"


def _parents(shard: Any) -> list[str]:
    return [parent for parent in (shard.parent, shard.adjacent_parent) if parent]


def _child(shard: Any) -> dict[str, Any]:
    description = shard.to_json()
    return {
        "ShardId": shard.shard_id,
        "ParentShards": _parents(shard),
        "HashKeyRange": description["HashKeyRange"],
    }


def _name_consumers() -> None:
    """Let the ARN of a consumer end with the second in which it was created, as on AWS."""
    consumer: Any = models.Consumer
    create = consumer.__init__

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        create(self, *arguments, **named)
        self.consumer_arn += f":{int(self.created)}"

    consumer.__init__ = __init__


@cache
def install() -> None:
    """Let this handler answer Kinesis' requests."""
    replace_shards()
    _name_consumers()
    urls.url_paths = dict.fromkeys(urls.url_paths, Handler.dispatch)
