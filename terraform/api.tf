# The REST API in front of catalog_api, and its authentication.

module "api" {
  source             = "./modules/api"
  name               = "${local.prefix}-catalog"
  alias_invoke_arn   = module.catalog_api.alias_invoke_arn
  description        = "Images of the catalog: list, show, upload, delete, report"
  alarm_topic_arns   = [aws_sns_topic.alarms.arn]
  auth               = local.environment.api_auth
  cors               = length(local.environment.allowed_origins) > 0
  log_retention_days = local.environment.log_retention_days
  quota_per_day      = local.environment.quota_per_day # what a key that leaked can do until somebody looks
  throttle           = local.environment.api_throttle
  tracing            = local.environment.tracing
  user_pool_arns     = aws_cognito_user_pool.users[*].arn

  # The page's code is public, but its data needs authentication. A link that shares a photo contains a separate secret.
  open_paths = ["/", "/health", "/page/{file+}", "/shared/{token+}"]

  # API Gateway rejects a stage with access logs until the account has a role for them.
  depends_on = [aws_api_gateway_account.this]
}

# A reference to the stage would create a dependency cycle: the stage needs the function, which needs these URLs.
locals {
  api_origin     = "https://${module.api.id}.execute-api.${local.region}.${data.aws_partition.current.dns_suffix}"
  gallery_url    = "${local.api_origin}/${module.api.stage}/"
  cognito_domain = one([for domain in aws_cognito_user_pool_domain.web[*].domain : "https://${domain}.auth.${local.region}.amazoncognito.com"])
}

# API Gateway writes the access logs of all APIs of an account and region with one role. ./eventloom reads the account's
# role first and sets the variable accordingly: it never replaces somebody else's role, and keeps this role if other
# APIs may use it. In version 6 of the provider, a destroy always removes the role from the account.
locals {
  sets_api_gateway_account = var.api_gateway_account && local.environment.owns_api_gateway_account
}

resource "aws_api_gateway_account" "this" {
  count               = local.sets_api_gateway_account ? 1 : 0
  cloudwatch_role_arn = aws_iam_role.api_gateway_logs[0].arn

  # API Gateway rejects the role until it may write logs.
  depends_on = [aws_iam_role_policy_attachment.api_gateway_logs]
}

resource "aws_iam_role" "api_gateway_logs" {
  # Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
  #iam:unconditional ApiGateway - API Gateway documents neither condition for the account's logging role
  #iam:unproven ApiGateway - LocalStack writes no access logs
  count                = local.sets_api_gateway_account ? 1 : 0
  name                 = "${local.prefix}-api-gateway-logs"
  path                 = local.environment.role_path
  permissions_boundary = local.environment.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ApiGateway"
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# API Gateway requires the actions of this managed policy on all log groups.
resource "aws_iam_role_policy_attachment" "api_gateway_logs" {
  #iam:unproven AmazonAPIGatewayPushToCloudWatchLogs - LocalStack writes no access logs
  count      = local.sets_api_gateway_account ? 1 : 0
  role       = aws_iam_role.api_gateway_logs[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_cognito_user_pool" "users" {
  count                    = local.environment.api_auth == "cognito" ? 1 : 0
  name                     = "${local.prefix}-users"
  auto_verified_attributes = ["email"]
  deletion_protection      = local.environment.protected ? "ACTIVE" : "INACTIVE"
  mfa_configuration        = "OPTIONAL"
  username_attributes      = ["email"]

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 7
  }

  software_token_mfa_configuration {
    enabled = true
  }
}

# The gallery's users sign in on the user pool's pages, with the authorization code flow and PKCE.
resource "aws_cognito_user_pool_client" "web" {
  count                                = length(aws_cognito_user_pool.users)
  name                                 = "web"
  user_pool_id                         = aws_cognito_user_pool.users[0].id
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = ["openid", "email"]
  callback_urls                        = [local.gallery_url]
  explicit_auth_flows                  = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  generate_secret                      = false # a web page can't keep a secret
  logout_urls                          = [local.gallery_url]
  prevent_user_existence_errors        = "ENABLED"
  supported_identity_providers         = ["COGNITO"]
}

resource "aws_cognito_user_pool_domain" "web" {
  count        = length(aws_cognito_user_pool.users)
  domain       = "${local.prefix}-${local.account_id}"
  user_pool_id = aws_cognito_user_pool.users[0].id
}
