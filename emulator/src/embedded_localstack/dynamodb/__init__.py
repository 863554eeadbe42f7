"""Make moto's DynamoDB answer like AWS's.

The handler checks a request before moto processes it, and completes moto's answer. Only `handler`, `tables`, `partiql`,
`corrections` and `reserved` use moto. The other modules take and return the JSON of DynamoDB's API.

Error messages are AWS's, as recorded in the tests of dynalite (https://github.com/architect/dynalite).
"""
