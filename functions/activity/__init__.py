"""Events about images, from Kinesis, become counters in DynamoDB, each record counted exactly once; see README.md."""
