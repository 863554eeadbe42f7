# Triggers whose callers wait for a response: api, alb and url

mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name    = "order_reader"
  package = "tests/package.zip"
  prefix  = "eventloom-test"
}

run "api" {
  variables {
    triggers = { api = { orders = { execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:abc", stage = "v1" } } }
  }

  assert {
    condition = (
      aws_lambda_permission.api["orders"].principal == "apigateway.amazonaws.com"
      && aws_lambda_permission.api["orders"].source_arn == "arn:aws:execute-api:eu-west-1:123456789012:abc/v1/*"
      && aws_lambda_permission.api["orders"].source_account == "123456789012"
      && aws_lambda_permission.api["orders"].qualifier == "live"
    )
    error_message = "Only this stage of this API may invoke the alias."
  }
}

run "alb" {
  variables {
    triggers = {
      alb = { web = { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/0123456789abcdef/0123456789abcdef", priority = 10, path_patterns = ["/orders/*"] } }
    }
  }

  assert {
    condition     = aws_lb_target_group.alb["web"].target_type == "lambda" && aws_lb_target_group.alb["web"].name == "eventloom-test-order-re-53f210ed"
    error_message = "The target group must be of type lambda, named after the function and the trigger."
  }

  assert {
    condition     = aws_lb_target_group_attachment.alb["web"].target_id == aws_lambda_alias.live.arn
    error_message = "The target must be the alias."
  }

  assert {
    condition = (
      aws_lambda_permission.alb["web"].principal == "elasticloadbalancing.amazonaws.com"
      && aws_lambda_permission.alb["web"].source_arn == aws_lb_target_group.alb["web"].arn
      && aws_lambda_permission.alb["web"].source_account == null
    )
    error_message = "Only this target group may invoke the alias."
  }

  assert {
    condition     = aws_lb_listener_rule.alb["web"].priority == 10 && tolist(aws_lb_listener_rule.alb["web"].condition)[0].path_pattern[0].values == toset(["/orders/*"])
    error_message = "The listener must forward these paths."
  }
}

run "long_alb_names_with_the_same_start" {
  variables {
    name = "order_reader_for_the_shop"
    triggers = {
      alb = { for priority, key in ["web", "web-old"] : key => { listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/0123456789abcdef/0123456789abcdef", priority = priority + 1, path_patterns = ["/${key}/*"] } }
    }
  }

  assert {
    condition     = alltrue([for group in aws_lb_target_group.alb : can(regex("^eventloom-test-order-r[0-9a-f-]{6,10}$", group.name)) && length(group.name) <= 32])
    error_message = "Long names must be truncated to the 32 characters that a target group's name may have."
  }

  assert {
    condition     = length(distinct([for group in aws_lb_target_group.alb : group.name])) == 2
    error_message = "Truncated names must still differ."
  }
}

run "url_for_named_callers" {
  variables {
    triggers = { url = { hook = { caller_arns = ["arn:aws:iam::123456789012:role/shop"], cors_origins = ["https://shop.example.com"] } } }
  }

  assert {
    condition     = aws_lambda_function_url.url["hook"].authorization_type == "AWS_IAM" && aws_lambda_function_url.url["hook"].qualifier == "live"
    error_message = "Callers must authenticate by default, and the URL must invoke the alias."
  }

  assert {
    condition     = aws_lambda_permission.url_callers["hook-0"].principal == "arn:aws:iam::123456789012:role/shop" && aws_lambda_permission.url_callers["hook-0"].function_url_auth_type == "AWS_IAM"
    error_message = "The named caller must be able to call with authentication."
  }

  assert {
    condition = (
      aws_lambda_permission.url_callers["hook-0"].action == "lambda:InvokeFunctionUrl"
      && aws_lambda_permission.url_callers_invoke["hook-0"].action == "lambda:InvokeFunction"
      && aws_lambda_permission.url_callers_invoke["hook-0"].principal == "arn:aws:iam::123456789012:role/shop"
      && aws_lambda_permission.url_callers_invoke["hook-0"].qualifier == "live"
    )
    error_message = "The caller must be granted both actions on the alias."
  }

  assert {
    condition     = length(aws_lambda_permission.url_public) + length(aws_lambda_permission.url_public_invoke) == 0 && aws_lambda_function_url.url["hook"].cors[0].allow_origins == toset(["https://shop.example.com"])
    error_message = "Nobody else may call, and only the given origin must be allowed."
  }
}

run "public_url" {
  variables {
    triggers = { url = { hook = { auth = "NONE", public_reason = "a webhook; the function checks its signature" } } }
  }

  assert {
    condition     = aws_lambda_permission.url_public["hook"].principal == "*" && aws_lambda_permission.url_public["hook"].function_url_auth_type == "NONE"
    error_message = "Anyone must be able to call without authentication."
  }

  assert {
    condition = (
      aws_lambda_permission.url_public["hook"].action == "lambda:InvokeFunctionUrl"
      && aws_lambda_permission.url_public_invoke["hook"].action == "lambda:InvokeFunction"
      && aws_lambda_permission.url_public_invoke["hook"].principal == "*"
      && aws_lambda_permission.url_public_invoke["hook"].qualifier == "live"
    )
    error_message = "Everyone must be granted both actions on the alias."
  }
}
