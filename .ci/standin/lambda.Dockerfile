# Lambda's runtime client and boto3 on Debian with Python 3.13, for machines that cannot pull AWS's image.
ARG BASE
FROM $BASE
LABEL org.opencontainers.image.title="STAND-IN: Python 3.13, awslambdaric and boto3 on Debian trixie; not AWS's image"
COPY packages /usr/local/lib/python3.13/dist-packages
RUN python3 -m compileall -q /usr/local/lib/python3.13 /usr/lib/python3.13 && mkdir -p /var/task
WORKDIR /var/task
