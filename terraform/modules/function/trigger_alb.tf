# trigger_alb.tf - runs the function on requests to a path of an Application Load Balancer

locals {
  # A target group's name has at most 32 letters, digits and hyphens. It ends with a hash. Otherwise the triggers of two
  # functions could have the same name ("report" with "daily-eu", "report-daily" with "eu") and share the group.
  alb_target_names = {
    for key in keys(local.triggers.alb) :
    key => "${substr("${local.full_name}-${replace(key, "_", "-")}", 0, 23)}-${substr(sha1("${local.full_name}.${key}"), 0, 8)}"
  }
}

resource "aws_lb_target_group" "alb" {
  #checkov:skip=CKV_AWS_261:a health check of a Lambda target is a paid invocation
  for_each    = local.triggers.alb
  name        = local.alb_target_names[each.key]
  target_type = "lambda"
  tags        = var.tags

  # Without this, the function gets only the last of repeated headers and query parameters.
  lambda_multi_value_headers_enabled = true

  # A target group can't be deleted while a listener rule forwards to it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_permission" "alb" {
  for_each      = local.triggers.alb
  statement_id  = "alb-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "elasticloadbalancing.amazonaws.com"
  source_arn    = aws_lb_target_group.alb[each.key].arn
}

resource "aws_lb_target_group_attachment" "alb" {
  for_each         = local.triggers.alb
  target_group_arn = aws_lb_target_group.alb[each.key].arn
  target_id        = aws_lambda_alias.live.arn

  # The load balancer rejects a target until it may invoke the function.
  depends_on = [aws_lambda_permission.alb]
}

resource "aws_lb_listener_rule" "alb" {
  for_each     = local.triggers.alb
  listener_arn = each.value.listener_arn
  priority     = each.value.priority
  tags         = var.tags

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.alb[each.key].arn
  }

  condition {
    path_pattern {
      values = each.value.path_patterns
    }
  }

  depends_on = [terraform_data.order]
}
