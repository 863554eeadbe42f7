"""Kinesis as AWS answers it, on top of moto: sequence numbers, resharding and consumers."""
