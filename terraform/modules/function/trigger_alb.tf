# trigger_alb.tf - runs the function on requests to a path of an Application Load Balancer

resource "aws_lb_target_group" "alb" {
  #checkov:skip=CKV_AWS_261:Lambda targets are healthy as long as they can be invoked; checks would be paid invocations
  for_each    = local.triggers.alb
  name        = trimsuffix(substr("${local.environment}-${replace(var.name, "_", "-")}-${each.key}", 0, 32), "-")
  target_type = "lambda"

  # Repeated headers and query parameters arrive whole
  lambda_multi_value_headers_enabled = true
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

  # The load balancer refuses a target that it may not invoke yet
  depends_on = [aws_lambda_permission.alb]
}

resource "aws_lb_listener_rule" "alb" {
  for_each     = local.triggers.alb
  listener_arn = each.value.listener_arn
  priority     = each.value.priority

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.alb[each.key].arn
  }

  condition {
    path_pattern {
      values = each.value.path_patterns
    }
  }
}
