"""Support item batches, EXPRESS child workflows and long listings in Distributed Maps of Step Functions.

LocalStack 4.14 refuses batches and EXPRESS child workflows, and lists at most 1,000 objects. Here EXPRESS child
workflows run as STANDARD workflows, which differ only in that they keep more history.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""
# mypy: disable-error-code="import-not-found"

import json
from itertools import batched
from typing import Any

# The item reader receives only its Parameters, so this parameter passes the batch size to it.
_BATCH = "EmbeddedMaxItemsPerBatch"


def install() -> None:
    """Translate each definition before LocalStack parses it, and list all pages of a bucket."""
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
        items = [_item(entry) for page in pages for entry in page.get("Contents", [])]
        env.stack.append([{"Items": list(batch)} for batch in batched(items, size, strict=False)] if size else items)

    Patch(AmazonStateLanguageParser, "parse", staticmethod(lambda definition: parse(understood(definition)))).apply()
    Patch(reader, "_handle_list_objects_v2", staticmethod(list_objects_v2)).apply()


def understood(definition: str) -> str:
    """Return the definition in a form that LocalStack can parse."""
    try:
        content = json.loads(definition)
    except ValueError:
        return definition  # LocalStack reports the error
    return json.dumps(content) if _translate(content) else definition


def _translate(content: Any) -> bool:
    """Translate Distributed Maps in place, and return whether the content has one."""
    if isinstance(content, list):
        return any([_translate(item) for item in content])
    if not isinstance(content, dict):
        return False
    has_map = any([_translate(item) for item in content.values()])
    config = (content.get("ItemProcessor") or {}).get("ProcessorConfig") if content.get("Type") == "Map" else None
    if not config or config.get("Mode") != "DISTRIBUTED":
        return has_map
    config["ExecutionType"] = "STANDARD"
    batches, reader = content.pop("ItemBatcher", None), content.get("ItemReader")
    if batches and reader:
        reader["Parameters"][_BATCH] = batches["MaxItemsPerBatch"]
    return True


def _item(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of a listing as Step Functions passes it to a child workflow."""
    return {
        "Etag": entry["ETag"],
        "Key": entry["Key"],
        "LastModified": int(entry["LastModified"].timestamp()),
        "Size": entry["Size"],
        "StorageClass": entry.get("StorageClass", "STANDARD"),
    }
