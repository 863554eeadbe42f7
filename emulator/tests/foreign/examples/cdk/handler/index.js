const { DynamoDBClient, PutItemCommand } = require("@aws-sdk/client-dynamodb");
const client = new DynamoDBClient();

exports.handler = async (event) => {
  for (const { s3 } of event.Records) {
    const item = { key: { S: s3.object.key }, size: { N: String(s3.object.size) } };
    await client.send(new PutItemCommand({ TableName: process.env.TABLE, Item: item }));
  }
};
