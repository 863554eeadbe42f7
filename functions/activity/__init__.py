"""Events about images, from Kinesis, become counters in DynamoDB, each counted exactly once; see README.md."""
