locals {
  table = {
    activity_shards                 = var.activity_shards
    alarm_emails                    = var.alarm_emails
    alb                             = var.alb
    alb_certificate_arn             = var.alb_certificate_arn
    allowed_account_ids             = var.allowed_account_ids
    allowed_origins                 = var.allowed_origins
    api_auth                        = var.api_auth
    api_throttle                    = var.api_throttle
    athena                          = var.athena
    backfill                        = var.backfill
    digest_schedule                 = var.digest_schedule
    log_level                       = var.log_level
    log_retention_days              = var.log_retention_days
    mail_from                       = var.mail_from
    mail_to                         = var.mail_to
    object_retention_days           = var.object_retention_days
    owns_api_gateway_account        = var.owns_api_gateway_account
    permissions_boundary            = var.permissions_boundary
    point_in_time_recovery          = var.point_in_time_recovery
    protected                       = var.protected
    quota_per_day                   = var.quota_per_day
    recoverer_dry_run               = var.recoverer_dry_run
    role_path                       = var.role_path
    tags                            = var.tags
    thumbnailer_ceiling             = var.thumbnailer_ceiling
    thumbnailer_maximum_concurrency = var.thumbnailer_maximum_concurrency
    thumbnailer_memory_mb           = var.thumbnailer_memory_mb
    tracing                         = var.tracing
    vpc                             = var.vpc
  }

  names = keys(var.log_level)
  # An environment's name is part of every resource's name.
  misnamed = [for name in local.names : name if !can(regex("^[a-z][a-z0-9-]{1,15}$", name))]
  # The settings with other environments than log_level.
  uneven = [for setting, values in local.table : setting if keys(values) != local.names]
}
