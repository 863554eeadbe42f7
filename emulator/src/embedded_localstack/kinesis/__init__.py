"""Make moto's Kinesis answer as AWS does, with sequence numbers, resharding and consumers."""
