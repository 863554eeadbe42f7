"""Application Load Balancers, which free LocalStack lacks. moto stores them, and this package answers their requests.

    provider.py    registers moto's ELBv2 as LocalStack's provider of `elbv2`
    gateway.py     takes requests for a load balancer from LocalStack's request chain, and answers them
    listeners.py   chooses the listener and the rule for a request
    requests.py    a request, and the event that a function receives for it
    answers.py     the responses of functions, fixed responses and redirects

Only provider.py and gateway.py import LocalStack or moto.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""
