"""IAM enforcement in LocalStack's request chain.

    handler.py     the link in the chain: asks, decides, refuses, records
    callers.py     who calls: a role's session, a service, nobody, or the deployer (who may do everything)
    actions.py     which actions on which resources an operation needs: the tables; the larger services have files of their own
    policies.py    which policies are asked: of the role, of the resource, trust policies
    conditions.py  what condition keys and policy variables are worth, and which are unknown
    decide.py      puts the questions to the evaluator (MiniStack's) and combines its answers
    facts.py       what LocalStack and moto know: roles, sessions, resource policies
    records.py     denials and audit, one JSON object a line

Only handler.py, callers.py and facts.py import LocalStack or moto.
"""
