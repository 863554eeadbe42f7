"""Serve HTTP APIs (API Gateway v2), which LocalStack Community lacks. moto stores their settings.

    provider.py        registers moto's API Gateway v2 as LocalStack's provider of `apigatewayv2`
    operations.py      implements the operations on APIs, routes, integrations and authorizers
    stage_operations.py  implements the operations on stages, deployments and tags
    deployments.py     manages deployments, which are copies of an API's routes, integrations and authorizers
    checks.py          refuses settings that AWS refuses or that this package cannot serve
    openapi.py         parses OpenAPI definitions
    cloudformation.py  provides the resources AWS::ApiGatewayV2::*
    wire.py            converts between boto3's and moto's names of parameters
    gateway.py         takes requests for an API from LocalStack's request chain, and answers them
    routes.py          chooses the stage and the route for a request
    events.py          builds the events for functions, in payload formats 1.0 and 2.0
    answers.py         builds responses from functions and from API Gateway itself
    integrations.py    calls functions and HTTP addresses
    authorization.py   checks signatures, tokens and Lambda authorizers
    authorizers.py     builds the events of Lambda authorizers, and parses their answers
    tokens.py          verifies the tokens of JWT authorizers
    monitoring.py      stores metrics, and writes access logs
    access_logs.py     writes the lines of access logs
    cors.py            answers preflight requests, and adds CORS headers to responses

routes.py, events.py, answers.py, cors.py, access_logs.py, checks.py, openapi.py, authorizers.py and tokens.py import
neither LocalStack nor moto.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
"""
