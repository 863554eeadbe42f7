"""Count events about images from Kinesis in DynamoDB, each record exactly once; see README.md."""
