"""Test that a copy is complete even if a service still writes the files."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from embedded_localstack.snapshot import files


def test_a_database_is_copied_while_it_is_written(tmp_path: Path) -> None:
    """Every copy contains all changes committed before it, and no partial change."""
    service, database = tmp_path / "cloudwatch", tmp_path / "cloudwatch/metrics.db"
    service.mkdir()
    (service / "notes.txt").write_text("kept")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE metrics (value INTEGER)")
        connection.commit()
    done, committed = threading.Event(), 0

    def write() -> None:
        nonlocal committed
        while not done.is_set():
            with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
                connection.executemany("INSERT INTO metrics VALUES (?)", [(number,) for number in range(100)])
            committed += 100

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(40):
            before, copy = committed, tmp_path / f"copy-{number}"
            files.copy(service, copy)
            assert {path.name for path in copy.iterdir()} == {"metrics.db", "notes.txt"}
            with closing(sqlite3.connect(copy / "metrics.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                (rows,) = connection.execute("SELECT count(*) FROM metrics").fetchone()
            assert rows >= before
            assert rows % 100 == 0
    finally:
        done.set()
        writer.join()
