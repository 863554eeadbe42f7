"""Run Lambda execution environments as local processes.

    plugin.py        connects to LocalStack, and creates an Environment for a function version
    environment.py   runs one execution environment
    runtime.py       runs a function's interpreter
    runtime_api.py   serves the Lambda Runtime API for AWS's runtime client (awslambdaric)
    code_files.py    makes unpacked code read-only
    layers.py        merges a function's layers into one folder
    namespace.py     sets up the read-only file system of a function, with /var/task, /opt and /tmp
    supervisor.py    the parent process of a function, which kills all its processes at the end
    freezer.py       stops the processes of a function between invocations
    debugger.py      starts a function that waits for a debugger
    debugger_boot.py the program of a debugged function, which waits and then runs awslambdaric
    variables.py     builds the environment variables of a function
    output.py        reads the output of a function as events
    memory.py        measures memory, and enforces the memory limit
    records.py       formats Lambda's START, END and REPORT lines

Only plugin.py imports LocalStack.
"""
