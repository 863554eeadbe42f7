"""Sequence numbers as long and as ordered as AWS's.

Those of Kinesis have 56 digits. In hexadecimal they are, from the left: a version, the second in which the shard was
created, the last digit of the shard, the position in the shard, the second of the record, the shard, and the version
again (https://github.com/mhart/kinesalite describes them). So those of one shard grow, those of two shards differ,
and those of a child are above those of its parents.

Those of table streams have 21 to 40 digits:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
"""

from dataclasses import dataclass

_VERSION = 2
_LAST_POSITION = 0x7FFF_FFFF_FFFF_FFFF
_TABLE_POSITIONS = 10**18


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers of a shard: when it was created, in seconds, its place in the stream, and whose stream it is."""

    created: int
    shard: int
    of_table: bool

    def number(self, position: int, second: int) -> int:
        """Return the number of the record at a position, which is 1 for the first record, sent in a second."""
        if self.of_table:
            return self.created * _TABLE_POSITIONS + min(position, _TABLE_POSITIONS - 1)
        number = _VERSION
        for value, digits in (
            (self.created, 9),
            (self.shard & 0xF, 1),
            (position, 16),
            (0, 2),
            (second, 9),
            (self.shard, 8),
            (_VERSION, 1),
        ):
            number = (number << 4 * digits) | value
        return number

    @property
    def start(self) -> int:
        """The number at which the shard starts, below that of its first record."""
        return self.number(0, self.created)

    def end(self, second: int) -> int:
        """Return the number of a shard that is closed in a second, above that of its last record."""
        return self.number(_LAST_POSITION, second)
