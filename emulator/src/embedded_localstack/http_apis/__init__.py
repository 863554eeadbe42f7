"""HTTP APIs (API Gateway v2), which free LocalStack lacks. moto stores them, and this package answers their requests.

    provider.py        registers moto's API Gateway v2 as LocalStack's provider of `apigatewayv2`
    operations.py      the operations on APIs, routes, integrations and authorizers, with checks and imports
    stage_operations.py  the operations on stages, deployments and tags
    deployments.py     what a stage serves: a copy of the API's routes, integrations and authorizers
    checks.py          refuses what this package cannot serve, and what AWS refuses
    openapi.py         an OpenAPI definition as routes, integrations and authorizers
    cloudformation.py  makes the resources AWS::ApiGatewayV2::*
    wire.py            between the names that boto3 has for parameters and those that moto stores
    gateway.py         takes requests for an API from LocalStack's request chain, and answers them
    routes.py          chooses the stage and the route for a request
    events.py          the events that functions receive, of payload formats 1.0 and 2.0
    answers.py         the responses of functions, and those of API Gateway itself
    integrations.py    calls functions and HTTP addresses
    authorization.py   checks signatures, tokens and Lambda authorizers
    authorizers.py     the events and answers of Lambda authorizers
    tokens.py          verifies the tokens of JWT authorizers
    monitoring.py      stores metrics, and writes access logs
    access_logs.py     the lines of access logs
    cors.py            answers preflight requests, and adds CORS headers to answers

routes.py, events.py, answers.py, cors.py, access_logs.py, checks.py, openapi.py, authorizers.py and tokens.py import
neither LocalStack nor moto.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
"""
