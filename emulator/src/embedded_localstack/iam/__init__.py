"""IAM enforcement in LocalStack's request chain.

    handler.py     the link in the chain: asks, decides, refuses, records
    callers.py     who calls: a role's session, a service, nobody, or the deployer (who may do everything)
    actions*.py    which actions on which resources an operation needs: the tables; the larger services have files of
    their own
    encryption.py  what is needed of a customer managed key, beside what the operation itself needs
    request.py     what those tables are made of: one API call, and one permission that it needs
    conditions.py  what condition keys and policy variables are worth, and which are unknown
    decide.py      puts the questions to the evaluator (MiniStack's) and combines its answers
    lookup.py      what LocalStack and moto know: roles, sessions, resource policies
    preflight.py   what is verified when the deployer connects a function to something
    function_urls.py  who may call a function URL
    records.py     denials and audit, one JSON object a line

Only handler.py, lookup.py, preflight.py and function_urls.py import LocalStack or moto.
"""
