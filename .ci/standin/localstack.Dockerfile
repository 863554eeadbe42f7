# LocalStack core 4.14 on Debian, for machines that cannot pull the public image. standin.py documents the differences.
ARG BASE
FROM $BASE
LABEL org.opencontainers.image.title="STAND-IN: LocalStack core 4.14.0 from PyPI on Debian trixie, DynamoDB and Kinesis by moto; not the public image"
COPY packages /usr/local/lib/python3.13/dist-packages
COPY init /opt/standin/init
ENV PYTHONUNBUFFERED=1 \
    SKIP_SSL_CERT_DOWNLOAD=1 \
    DYNAMODB_IN_MEMORY=1 \
    LOG_LEVEL_OVERRIDES="localstack.deprecations=ERROR,localstack.aws.protocol.serializer=ERROR" \
    LAMBDA_RUNTIME_IMAGE_MAPPING='{"python3.13": "eventloom-standin/lambda-python:3.13"}'
RUN mkdir -p /usr/lib/localstack /var/lib/localstack && python3 -m standin && python3 -m localstack.aws.spec
CMD ["python3", "-m", "localstack.runtime.main"]
