"""Distributed Maps of Step Functions: items in batches, EXPRESS children, listings of more than a page.

LocalStack 4.14 refuses the first two, and lists at most a thousand objects. Children run as STANDARD ones: they only
keep more
history.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""
# mypy: disable-error-code="import-not-found"

import json
from itertools import batched
from typing import Any

# Carries the batch size to the reader, which gets nothing but its parameters.
_BATCH = "EmbeddedMaxItemsPerBatch"


def install() -> None:
    """Translate each definition before LocalStack parses it, and list whole buckets."""
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.item_reader.resource_eval import (  # noqa: PLC0415 - only a running server has it
        resource_eval_s3,
    )
    from localstack.services.stepfunctions.asl.parse.asl_parser import AmazonStateLanguageParser  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    parse, reader = AmazonStateLanguageParser.parse, resource_eval_s3.ResourceEvalS3

    def list_objects_v2(env: Any, resource_runtime_part: Any, state_credentials: Any) -> None:
        parameters = env.stack.pop()
        size = parameters.pop(_BATCH, None)
        s3 = reader._get_s3_client(resource_runtime_part=resource_runtime_part, state_credentials=state_credentials)
        pages = s3.get_paginator("list_objects_v2").paginate(**parameters)
        items = [_item(found) for page in pages for found in page.get("Contents", [])]
        env.stack.append([{"Items": list(batch)} for batch in batched(items, size, strict=False)] if size else items)

    Patch(AmazonStateLanguageParser, "parse", staticmethod(lambda definition: parse(understood(definition)))).apply()
    Patch(reader, "_handle_list_objects_v2", staticmethod(list_objects_v2)).apply()


def understood(definition: str) -> str:
    """Return the definition in terms that LocalStack parses."""
    try:
        content = json.loads(definition)
    except ValueError:
        return definition  # LocalStack reports the error
    return json.dumps(content) if _translate(content) else definition


def _translate(content: Any) -> bool:
    """Change distributed Maps in place. Returns whether there was one."""
    if isinstance(content, list):
        return any([_translate(one) for one in content])
    if not isinstance(content, dict):
        return False
    found = any([_translate(one) for one in content.values()])
    config = (content.get("ItemProcessor") or {}).get("ProcessorConfig") if content.get("Type") == "Map" else None
    if not config or config.get("Mode") != "DISTRIBUTED":
        return found
    config["ExecutionType"] = "STANDARD"
    batches, reader = content.pop("ItemBatcher", None), content.get("ItemReader")
    if batches and reader:
        reader["Parameters"][_BATCH] = batches["MaxItemsPerBatch"]
    return True


def _item(found: dict[str, Any]) -> dict[str, Any]:
    """Return an object as Step Functions passes it to a child."""
    return {
        "Etag": found["ETag"],
        "Key": found["Key"],
        "LastModified": int(found["LastModified"].timestamp()),
        "Size": found["Size"],
        "StorageClass": found.get("StorageClass", "STANDARD"),
    }
