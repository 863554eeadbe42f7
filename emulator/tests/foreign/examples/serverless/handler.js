const { S3Client, PutObjectCommand } = require("@aws-sdk/client-s3");
const s3 = new S3Client();

exports.hello = async ({ pathParameters }) => ({
  statusCode: 200,
  body: JSON.stringify({ hello: pathParameters.name }),
});

exports.uploaded = async ({ Records }) => {
  for (const { s3: { object } } of Records) {
    const name = object.key.split("/").pop();
    await s3.send(new PutObjectCommand({ Bucket: process.env.BUCKET, Key: `names/${name}`, Body: object.key }));
  }
};

exports.tick = async () => "ticked";
