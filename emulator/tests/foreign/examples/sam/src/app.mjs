import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient();
const dynamodb = new DynamoDBClient();

// An event of an HTTP API has payload format 2.0.
export const take = async (event) => {
  const order = { id: event.pathParameters.id, ...JSON.parse(event.body) };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: JSON.stringify(order) }));
  return { statusCode: 202, body: JSON.stringify({ version: event.version, id: order.id }) };
};

export const store = async (event) => {
  for (const { body } of event.Records) {
    const { id, pieces } = JSON.parse(body);
    const item = { id: { S: id }, pieces: { N: String(pieces) } };
    await dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE, Item: item }));
  }
};
