// A CDK app as `cdk init` would leave it: the default synthesizer, and constructs whose custom resources are Node.js.
const path = require("node:path");
const { App, CfnOutput, Duration, RemovalPolicy, Stack } = require("aws-cdk-lib");
const lambda = require("aws-cdk-lib/aws-lambda");
const { Bucket, EventType } = require("aws-cdk-lib/aws-s3");
const { LambdaDestination } = require("aws-cdk-lib/aws-s3-notifications");
const { Table, AttributeType } = require("aws-cdk-lib/aws-dynamodb");

class Uploads extends Stack {
  constructor(scope, id) {
    super(scope, id);
    const bucket = new Bucket(this, "Uploads", { autoDeleteObjects: true, removalPolicy: RemovalPolicy.DESTROY });
    const table = new Table(this, "Sizes", {
      partitionKey: { name: "key", type: AttributeType.STRING },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const measure = new lambda.Function(this, "Measure", {
      runtime: lambda.Runtime.NODEJS_22_X,
      handler: "index.handler",
      code: lambda.Code.fromAsset(path.join(__dirname, "handler")),
      environment: { TABLE: table.tableName },
      timeout: Duration.seconds(20),
    });
    table.grantWriteData(measure);
    bucket.addEventNotification(EventType.OBJECT_CREATED, new LambdaDestination(measure));
    new CfnOutput(this, "Bucket", { value: bucket.bucketName });
    new CfnOutput(this, "Table", { value: table.tableName });
  }
}

const app = new App();
new Uploads(app, "Uploads");
