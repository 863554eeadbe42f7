"""Lambda execution environments as local processes.

    plugin.py        LocalStack's side: makes an Environment from a function version
    environment.py   one execution environment: starts, invokes, times out, ends
    runtime.py       one run of a function's interpreter: answers and crashes alike
    runtime_api.py   the Lambda Runtime API that AWS's own runtime client (awslambdaric) talks to
    supervisor.py    the process above the function: nothing of a function outlives it
    freezer.py       between invocations nothing of a function runs
    variables.py     the environment variables of a function
    output.py        what a function prints
    memory.py        the memory limit, and what was used
    records.py       START, END and REPORT as Lambda writes them

Only plugin.py imports LocalStack.
"""
