"""Save and restore the content of S3 objects. Incomplete multipart uploads are lost."""
# mypy: disable-error-code="import-not-found"

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def save(folder: Path) -> None:
    """Save the content of each object, and an index of the objects."""
    folder.mkdir(parents=True)
    storage, index = _storage(), []
    for number, (bucket, item) in enumerate(_objects()):
        with storage.open(bucket, item, mode="r") as stored, (folder / str(number)).open("wb") as file:
            for chunk in stored:
                file.write(chunk)
        index.append([bucket, item.key, item.version_id])
    (folder / "index.json").write_text(json.dumps(index))


def size() -> int:
    """Return the number of bytes that `save` writes."""
    return sum(item.size or 0 for _bucket, item in _objects())


def load(folder: Path) -> None:
    """Restore the content of the objects, after the store of buckets is restored."""
    storage = _storage()
    numbers = {tuple(entry): number for number, entry in enumerate(json.loads((folder / "index.json").read_text()))}
    for bucket in _buckets():
        storage.create_bucket(bucket.name)
        bucket.multiparts.clear()
    for bucket_name, item in _objects():
        file = storage.open(bucket_name, item, mode="w")
        with file, (folder / str(numbers[bucket_name, item.key, item.version_id])).open("rb") as content:
            shutil.copyfileobj(content, file.file)
    shutil.rmtree(folder)


def _storage() -> Any:
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    return SERVICE_PLUGINS.get_service("s3")._provider._storage_backend


def _buckets() -> Iterator[Any]:
    from localstack.services.s3.models import s3_stores  # noqa: PLC0415

    for _account, _region, store in s3_stores.iter_stores():
        yield from store.buckets.values()


def _objects() -> Iterator[tuple[str, Any]]:
    from localstack.services.s3.models import S3DeleteMarker  # noqa: PLC0415

    for bucket in _buckets():
        for item in bucket.objects.values(with_versions=True):
            if not isinstance(item, S3DeleteMarker):
                yield bucket.name, item
