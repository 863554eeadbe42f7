"""IAM enforcement in LocalStack's request chain.

    handler.py             the handler in the chain: checks each request and records the decision
    callers.py             the caller: a role's session, a service, an anonymous caller or the deployer
    actions*.py            tables of the actions and resources that each operation needs
    reference.py           the actions of operations that are in no table
    encryption.py          the permissions on customer managed keys that an operation also needs
    request.py             the types of those tables: one API call, and one permission that it needs
    conditions.py          the values of condition keys and policy variables, and which of them are unknown
    decide.py              calls MiniStack's evaluator for each kind of policy and combines the results
    statements.py          reads the statements of a policy for one request
    matching.py            sets how the evaluator compares resources, ARNs and texts with wildcards
    principals.py          how the policy of a resource names the caller
    lookup.py              roles and resource policies in LocalStack and moto
    grants.py              grants of KMS keys, as statements of the key's policy
    sessions.py            sessions of roles, and the caller that an access key stands for
    documents.py           refuses malformed policies when they are written
    preflight.py           the checks when the deployer connects a function to another resource
    function_urls.py       the check of calls to a function URL
    api_methods.py         the check of calls to a method of a REST API
    lambda_authorizers.py  the answers of Lambda authorizers, and how long they are kept
    signed_requests.py     the caller of a signed call to an API or a function URL
    signatures.py          the check of a signature
    records.py             denials and audit, one JSON object per line

Only handler.py, lookup.py, sessions.py, documents.py, preflight.py, function_urls.py, api_methods.py and
signed_requests.py import LocalStack or moto.
"""
