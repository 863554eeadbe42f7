"""Serve Application Load Balancers, which moto only stores and LocalStack Community lacks.

    gateway.py     takes requests for a load balancer from LocalStack's request chain, and answers them
    listeners.py   chooses the listener and the rule for a request
    requests.py    represents a request, and builds the event for a function
    answers.py     builds responses from functions, fixed responses and redirects

Only gateway.py imports LocalStack or moto.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""
