"""Lambda execution environments as local processes.

    plugin.py        LocalStack's side: makes an Environment from a function version
    environment.py   one execution environment: starts, invokes, times out, ends
    runtime.py       one run of a function's interpreter, from its start to its end
    runtime_api.py   the Lambda Runtime API that AWS's own runtime client (awslambdaric) talks to
    code_files.py    makes unpacked code read-only
    layers.py        the content of a function's layers in one folder
    namespace.py     the read-only file system of a function, with /var/task, /opt and /tmp
    supervisor.py    the parent process of a function, which no process of the function outlives
    freezer.py       stops the processes of a function between invocations
    debugger.py      how a function starts that waits for a debugger
    debugger_boot.py the program of such a function: it waits, and then runs awslambdaric
    variables.py     the environment variables of a function
    output.py        the output of a function, as events
    memory.py        the memory limit, and the memory that is used
    records.py       the START, END and REPORT lines that Lambda writes

Only plugin.py imports LocalStack.
"""
