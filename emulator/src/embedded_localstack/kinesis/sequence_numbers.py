"""Create sequence numbers with the length and order of AWS's numbers.

Sequence numbers of Kinesis have 56 decimal digits. Their hexadecimal form has these parts, from the left: a version,
the second in which the shard was created, the last digit of the shard, the position in the shard, the second of the
record, the shard, and the version again (https://github.com/mhart/kinesalite describes them). So the numbers of a shard
increase, numbers of different shards differ, and the numbers of a child are greater than those of its parents.

Sequence numbers of table streams have 21 to 40 digits:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
"""

from dataclasses import dataclass

_VERSION = 2
_LAST_POSITION = 0x7FFF_FFFF_FFFF_FFFF
_TABLE_POSITIONS = 10**18


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbering of a shard, from its creation time in seconds, its index, and whether it belongs to a table."""

    created: int
    shard: int
    of_table: bool

    def number(self, position: int, second: int) -> int:
        """Return the number of the record at a position (1 is the first record) that was sent in a second."""
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
        """Return the starting number of the shard, which is less than the number of its first record."""
        return self.number(0, self.created)

    def end(self, second: int) -> int:
        """Return the ending number of a shard that was closed in a second. It is greater than all record numbers."""
        return self.number(_LAST_POSITION, second)
