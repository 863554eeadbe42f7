"""Application Load Balancers, which free LocalStack lacks: moto keeps them, this answers requests to them.

    provider.py    registers moto's ELBv2 as LocalStack's provider of `elbv2`
    gateway.py     takes requests whose Host is a load balancer's off LocalStack's request chain, and answers them
    listeners.py   which listener and rule a request is for
    requests.py    a request, and the event that a function gets of it
    answers.py     what a function, a fixed response or a redirect answers

Only provider.py and gateway.py import LocalStack or moto.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""
