"""A Flask app, as Zappa deploys it."""

from flask import Flask, request

app = Flask(__name__)


@app.route("/hello/<name>", methods=["GET", "POST"])
def hello(name):
    return {"hello": name, "sent": request.get_json(silent=True)}
