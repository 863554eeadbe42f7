"""IAM enforcement in LocalStack's request chain.

    handler.py             the handler in the chain: checks each request and records the decision
    callers.py             the caller: a role's session, a service, an anonymous caller or the deployer
    actions*.py            tables of the actions and resources that each operation needs
    reference.py           the actions of operations that are in no table
    dependent.py           the permissions that an operation needs beside its own, such as to tag what it creates
    passed_roles.py        the roles that a request passes to a service
    connections.py         the checks that a service makes when a request connects resources
    public_access.py       the rules of S3 on bucket policies and ACLs
    buckets.py             the settings and ACLs of buckets
    encryption.py          the permissions on customer managed keys that an operation also needs
    request.py             the types of those tables: one API call, and one permission that it needs
    conditions.py          the values of condition keys and policy variables, and which of them are unknown
    decide.py              calls MiniStack's evaluator for each kind of policy and combines the results
    statements.py          reads the statements of a policy for one request
    matching.py            sets how the evaluator compares resources, ARNs and texts with wildcards
    principals.py          how the policy of a resource names the caller
    lookup.py              roles and resource policies in LocalStack and moto
    key_lookup.py          KMS keys, the keys of encrypted resources, and secrets
    grants.py              grants of KMS keys, as statements of the key's policy
    sessions.py            sessions of roles, and the caller that an access key stands for
    peers.py               tells which connections come from functions
    documents.py           refuses malformed policies when they are written
    preflight.py           the checks when the deployer connects a function to another resource
    function_urls.py       the check of calls to a function URL
    api_methods.py         the check of calls to a method of a REST API
    lambda_authorizers.py  the answers of Lambda authorizers, and how long they are kept
    user_pools.py          verifies the tokens of Cognito user pools
    signed_requests.py     the caller of a signed call to an API or a function URL
    signatures.py          the check of a signature
    records.py             denials and audit, one JSON object per line

Only handler.py, lookup.py, key_lookup.py, buckets.py, sessions.py, documents.py, preflight.py, function_urls.py,
user_pools.py and api_methods.py import LocalStack or moto.
"""
