"""DynamoDB as AWS answers it, on top of moto.

The handler checks a request before moto sees it, and completes moto's answer. Only `handler`, `tables`, `partiql`,
`corrections` and `reserved` know moto. The other modules take and return the JSON of DynamoDB's API.

The messages of errors are AWS's own, as the tests of dynalite (https://github.com/architect/dynalite) record them.
"""
