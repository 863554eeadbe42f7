module "schema" {
  source            = "./schema"
  given_permissions = var.permissions
  given_triggers    = local.given_triggers
  permissions       = var.permissions
  triggers          = local.given_triggers
}

data "aws_caller_identity" "current" {}

locals {
  # Kinds and triggers that are null are dropped, so that callers can write `var.on ? {...} : null`.
  given_triggers = {
    for kind, triggers in var.triggers : kind => { for name, trigger in triggers : name => trigger if trigger != null }
    if triggers != null
  }

  account_id  = data.aws_caller_identity.current.account_id
  full_name   = "${var.prefix}-${replace(var.name, "_", "-")}"
  permissions = module.schema.permissions
  triggers    = module.schema.triggers

  variables = merge(
    { LOG_LEVEL = var.log_level },
    var.metrics_namespace == null ? {} : {
      POWERTOOLS_METRICS_NAMESPACE = var.metrics_namespace
      POWERTOOLS_SERVICE_NAME      = var.name
    },
    var.environment,
  )

  # Lambda limits the size of the variables as JSON in bytes. length() counts characters, so this counts base64, which
  # has 4 characters for 3 bytes. jsonencode() escapes <, > and & as 6 characters each, so the escapes are removed.
  variables_base64 = base64encode(replace(replace(replace(jsonencode(local.variables), "\\u003c", "<"), "\\u003e", ">"), "\\u0026", "&"))
  variables_bytes  = length(local.variables_base64) / 4 * 3 - (length(local.variables_base64) - length(trim(local.variables_base64, "=")))
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:var.tracing turns X-Ray on
  #checkov:skip=CKV_AWS_115:optional (reserved_concurrency), since it takes concurrency from the other functions
  #checkov:skip=CKV_AWS_116:the on-failure destination replaces it, and includes the error
  #checkov:skip=CKV_AWS_117:optional (vpc), since a function that only calls AWS APIs doesn't need a VPC
  #checkov:skip=CKV_AWS_173:optional (kms_key_arn), since the variables contain no secrets and are encrypted by default
  #checkov:skip=CKV_AWS_272:packages are not signed; the plan pins the package's hash
  function_name                  = local.full_name
  role                           = aws_iam_role.this.arn
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  handler                        = coalesce(var.handler, "${replace(var.name, "-", "_")}.handler.lambda_handler")
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_s
  layers                         = var.layers
  publish                        = true
  kms_key_arn                    = var.kms_key_arn
  reserved_concurrent_executions = var.reserved_concurrency == null ? -1 : var.reserved_concurrency

  # Lambda keeps its network interfaces for up to 40 minutes after the function is deleted. They get another security
  # group, so that the function's security group can be deleted at once.
  replace_security_groups_on_destroy = var.vpc == null ? null : true
  tags                               = var.tags

  environment {
    variables = local.variables
  }

  ephemeral_storage {
    size = var.ephemeral_storage_mb
  }

  logging_config {
    log_group             = aws_cloudwatch_log_group.this.name
    log_format            = "JSON"
    application_log_level = var.log_level
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # The first invocation may follow at once, and Lambda rejects a VPC until the role may create network interfaces. On
  # destroy, the function is deleted before its policies, because Lambda deletes the interfaces with the role's
  # permissions (https://github.com/terraform-aws-modules/terraform-aws-lambda/issues/310).
  depends_on = [aws_iam_role_policy.logs, aws_iam_role_policy.permissions, aws_iam_role_policy.vpc, aws_iam_role_policy.tracing]

  lifecycle {
    precondition {
      condition     = fileexists(var.package)
      error_message = "The package ${var.package} doesn't exist. Create it first; in a clone of Eventloom, `make build` does."
    }

    precondition {
      condition     = local.variables_bytes <= 4096
      error_message = <<-EOT
        The environment variables of ${local.full_name} take ${local.variables_bytes} bytes as JSON, and Lambda accepts
        4096. Shorten them, or keep long values in S3 or SSM Parameter Store.
      EOT
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What every trigger invokes"
  function_name    = aws_lambda_function.this.function_name
  function_version = coalesce(var.live_version, aws_lambda_function.this.version)

  dynamic "routing_config" {
    for_each = var.canary_weight > 0 ? [var.canary_weight] : []

    content {
      additional_version_weights = { (aws_lambda_function.this.version) = routing_config.value }
    }
  }

  lifecycle {
    precondition {
      condition     = var.canary_weight == 0 || var.live_version != aws_lambda_function.this.version
      error_message = <<-EOT
        The canary is the same version as live_version. Deploy a changed function to publish a new version, or remove
        canary_weight.
      EOT
    }
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count                             = var.provisioned_concurrency > 0 ? 1 : 0
  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}
