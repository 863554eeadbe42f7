"""A Chalice app: a REST API with a parameter, a consumer of a queue, and a function on a schedule."""

import json
import os

import boto3
from chalice import Chalice, NotFoundError, Rate

app = Chalice(app_name="notes")


@app.route("/notes/{name}")
def read(name):
    stored = boto3.client("dynamodb").get_item(TableName=os.environ["TABLE"], Key={"name": {"S": name}})
    if "Item" not in stored:
        raise NotFoundError(name)
    return {"name": name, "text": stored["Item"]["text"]["S"]}


@app.on_sqs_message(queue="notes", batch_size=5)
def write(event):
    for record in event:
        note = json.loads(record.body)
        item = {"name": {"S": note["name"]}, "text": {"S": note["text"]}}
        boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=item)


@app.schedule(Rate(1, unit=Rate.HOURS))
def tick(event):
    return {}
