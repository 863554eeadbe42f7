"""Serve a provider's schema over Terraform's plugin protocol, for `validate` and for `test` with mocked providers.

Usage: server.py SCHEMA SOCKET     (with build/venv/localstack/bin/python, which has grpcio)

Prints the value for TF_REATTACH_PROVIDERS in one line, and serves until its standard input ends. The server has no
provider: it accepts every configuration that fits the schema, and plans nothing.

The few messages are encoded by hand, as defined in
https://github.com/hashicorp/terraform/blob/v1.11.4/docs/plugin-protocol/tfplugin5.8.proto
"""

import json
import os
import sys
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

ADDRESS = "registry.terraform.io/hashicorp/aws"
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
FLAGS = ((4, "required"), (5, "optional"), (6, "computed"), (7, "sensitive"), (9, "deprecated"), (10, "write_only"))
LARGEST_MESSAGE = 256 << 20
THREADS = 8


def varint(number: int) -> bytes:
    """Encode a number in groups of 7 bits."""
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def integer(field: int, number: int) -> bytes:
    """Encode a field with a number. As usual in Protocol Buffers, a zero is left out."""
    return varint(field << 3) + varint(number) if number else b""


def message(field: int, content: bytes) -> bytes:
    """Encode a field with a message or bytes."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def string(field: int, content: str) -> bytes:
    """Encode a field with a text."""
    return message(field, content.encode())


def attribute(name: str, rule: dict[str, Any]) -> bytes:
    """Encode a Schema.Attribute."""
    flags = b"".join(integer(field, bool(rule.get(flag))) for field, flag in FLAGS)
    return string(1, name) + string(2, json.dumps(rule["type"])) + flags


def block(rule: dict[str, Any]) -> bytes:
    """Encode a Schema.Block with its nested blocks."""
    attributes = (rule.get("attributes") or {}).items()
    encoded = b"".join(message(2, attribute(name, inner)) for name, inner in attributes)
    for name, nested in (rule.get("block_types") or {}).items():
        limits = integer(4, nested.get("min_items", 0)) + integer(5, nested.get("max_items", 0))
        content = string(1, name) + message(2, block(nested["block"])) + integer(3, NESTING[nested["nesting_mode"]])
        encoded += message(3, content + limits)
    return encoded


def schema(rule: dict[str, Any]) -> bytes:
    """Encode a Schema."""
    return integer(1, rule.get("version", 0)) + message(2, block(rule["block"]))


def provider_schema(content: dict[str, Any]) -> bytes:
    """Encode the response of GetSchema."""
    encoded = message(1, schema(content["provider"]))
    for field, part in ((2, "resource_schemas"), (3, "data_source_schemas")):
        for name, rule in content[part].items():
            encoded += message(field, string(1, name) + message(2, schema(rule)))
    return encoded


def methods(schema_response: bytes) -> dict[str, dict[str, Any]]:
    """Return the handlers that `validate` and `test` call, by service and method.

    go-plugin's two streaming services (stdio, broker) are left out, because Terraform works without them. A stream
    would hold a thread per connection, and `terraform test` opens several connections per run.
    """

    def answer(response: Callable[[bytes], bytes]) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda request, _: response(request))

    empty = dict.fromkeys(
        ("ValidateResourceTypeConfig", "ValidateDataSourceConfig", "Configure", "Stop"), answer(lambda _: b"")
    )
    return {
        "tfplugin5.Provider": {
            "GetSchema": answer(lambda _: schema_response),
            # The configuration is field 1 of the request and of the response.
            "PrepareProviderConfig": answer(lambda request: request),
            **empty,
        },
        "plugin.GRPCController": {"Shutdown": answer(lambda _: b"")},
        "grpc.health.v1.Health": {"Check": answer(lambda _: integer(1, 1))},
    }


def main(file: str, socket: str) -> None:
    """Serve the schema at a Unix socket until standard input ends."""
    limits = [("grpc.max_send_message_length", LARGEST_MESSAGE), ("grpc.max_receive_message_length", LARGEST_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(THREADS), options=limits)
    response = provider_schema(json.loads(Path(file).read_text(encoding="utf-8")))
    handlers = methods(response).items()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, calls) for name, calls in handlers])
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    address = {"Network": "unix", "String": socket}
    # With Test, Terraform does not stop the process at its end.
    provider = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": address}
    print(json.dumps({ADDRESS: provider}), flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
