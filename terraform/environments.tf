# The settings that differ between environments. environments.json has a row per setting and a column per environment.
# modules/environments defines the type, the meaning and the checks of each setting. The workspace selects the column.
#
# environments.override.json may contain other values, such as the ids of your accounts; git ignores it. It is a file
# instead of a variable because ./eventloom also reads both files, and checks the account before it creates anything.

locals {
  environments_override_file = "${path.module}/environments.override.json"

  environments_tables = [
    jsondecode(file("${path.module}/environments.json")),
    jsondecode(fileexists(local.environments_override_file) ? file(local.environments_override_file) : "{}"),
  ]

  environments_table = {
    for setting in distinct(flatten([for table in local.environments_tables : keys(table)])) :
    setting => merge([for table in local.environments_tables : lookup(table, setting, {})]...)
  }

  environments = module.environments.names

  # The precondition in providers.tf rejects an unknown workspace. Terraform may evaluate this expression first, so the
  # expression then uses another environment.
  environment = module.environments.settings[
    contains(local.environments, terraform.workspace) ? terraform.workspace : local.environments[0]
  ]
  metrics_namespace = "Eventloom/${terraform.workspace}"
  prefix            = "eventloom-${terraform.workspace}"
}

module "environments" {
  source        = "./modules/environments"
  setting_names = keys(local.environments_table)

  activity_shards                 = local.environments_table.activity_shards
  alarm_emails                    = local.environments_table.alarm_emails
  alb                             = local.environments_table.alb
  alb_certificate_arn             = local.environments_table.alb_certificate_arn
  allowed_account_ids             = local.environments_table.allowed_account_ids
  allowed_origins                 = local.environments_table.allowed_origins
  api_auth                        = local.environments_table.api_auth
  api_throttle                    = local.environments_table.api_throttle
  athena                          = local.environments_table.athena
  backfill                        = local.environments_table.backfill
  digest_schedule                 = local.environments_table.digest_schedule
  log_level                       = local.environments_table.log_level
  log_retention_days              = local.environments_table.log_retention_days
  mail_from                       = local.environments_table.mail_from
  mail_to                         = local.environments_table.mail_to
  object_retention_days           = local.environments_table.object_retention_days
  owns_api_gateway_account        = local.environments_table.owns_api_gateway_account
  permissions_boundary            = local.environments_table.permissions_boundary
  point_in_time_recovery          = local.environments_table.point_in_time_recovery
  protected                       = local.environments_table.protected
  quota_per_day                   = local.environments_table.quota_per_day
  recoverer_dry_run               = local.environments_table.recoverer_dry_run
  role_path                       = local.environments_table.role_path
  tags                            = local.environments_table.tags
  thumbnailer_ceiling             = local.environments_table.thumbnailer_ceiling
  thumbnailer_maximum_concurrency = local.environments_table.thumbnailer_maximum_concurrency
  thumbnailer_memory_mb           = local.environments_table.thumbnailer_memory_mb
  tracing                         = local.environments_table.tracing
  vpc                             = local.environments_table.vpc
}
