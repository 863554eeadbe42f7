# Serves the catalog over HTTP: list, show, upload, delete and report images.

# The keys of the index by time of capture are defined in functions/shared/listing.py.
locals {
  shelves = [for key in setproduct(["READY", "REJECTED", "DELETED"], range(4)) : join("#", key)]
}

module "catalog_api" {
  source               = "./modules/function"
  name                 = "catalog_api"
  prefix               = local.prefix
  package              = "${path.root}/${var.packages}/catalog_api.zip"
  alarm_topic_arns     = [aws_sns_topic.alarms.arn]
  architecture         = var.architecture
  log_level            = local.environment.log_level
  log_retention_days   = local.environment.log_retention_days
  memory_mb            = 1024
  metrics_namespace    = local.metrics_namespace
  permissions_boundary = local.environment.permissions_boundary
  role_path            = local.environment.role_path
  timeout_s            = 29 # API Gateway's own timeout
  tracing              = local.environment.tracing

  environment = merge(
    {
      ACCEPTED_FORMATS  = local.accepted_formats
      ALLOWED_ORIGINS   = join(",", local.environment.allowed_origins)
      AUTH              = local.environment.api_auth
      CATALOG_TABLE     = aws_dynamodb_table.catalog.name
      RESTORE_DAYS      = min(local.environment.object_retention_days, local.tombstone_days)
      STATE_TABLE       = aws_dynamodb_table.state.name
      THUMBNAILS_BUCKET = module.thumbnails.name
      UPLOADS_BUCKET    = module.uploads.name
    },
    { for client in aws_cognito_user_pool_client.web : "COGNITO_CLIENT_ID" => client.id },
    { for domain in compact([local.cognito_domain]) : "COGNITO_DOMAIN" => domain },
  )

  triggers = {
    alb = { for arn in aws_lb_listener.catalog[*].arn : "catalog" => { listener_arn = arn, priority = 100 } }
    api = { catalog = { execution_arn = module.api.execution_arn, stage = module.api.stage } }
  }

  permissions = {
    list_images     = local.list_images
    find_duplicates = { actions = ["dynamodb:Query"], resources = ["${aws_dynamodb_table.catalog.arn}/index/by_sha256"] }
    list_by_capture = {
      actions    = ["dynamodb:Query"]
      resources  = ["${aws_dynamodb_table.catalog.arn}/index/by_taken"]
      conditions = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = local.shelves } }
    }
    show_and_hide   = { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [aws_dynamodb_table.catalog.arn] }
    sign_thumbnails = { actions = ["s3:GetObject"], resources = ["${module.thumbnails.arn}/*"] }
    sign_originals  = { actions = ["s3:GetObject", "s3:DeleteObject"], resources = ["${module.uploads.arn}/*"] }

    # An undo of a deletion copies the earlier version to the same key, which may have any prefix.
    write_originals   = { actions = ["s3:PutObject"], resources = ["${module.uploads.arn}/*"] }
    read_old_versions = { actions = ["s3:GetObjectVersion"], resources = ["${module.uploads.arn}/*"] }

    know_whether_dates_are_indexed = {
      actions    = ["dynamodb:UpdateItem"]
      resources  = [aws_dynamodb_table.state.arn]
      conditions = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["catalog#by_taken"] } }
    }
    keep_shares = {
      actions    = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
      resources  = [aws_dynamodb_table.state.arn]
      conditions = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["share#*"] } }
    }
    keep_reports = {
      actions    = ["dynamodb:GetItem", "dynamodb:PutItem"]
      resources  = [aws_dynamodb_table.state.arn]
      conditions = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["report#*"] } }
    }
  }
}
