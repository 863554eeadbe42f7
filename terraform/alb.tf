# Also serves the catalog within the network. The load balancer is internal because it can't check API keys.

resource "aws_lb" "catalog" {
  #checkov:skip=CKV_AWS_91:the function logs each request
  #checkov:skip=CKV_AWS_150:the environment decides on deletion protection
  #checkov:skip=CKV2_AWS_20:internal, and HTTPS only if there is a certificate
  #checkov:skip=CKV2_AWS_28:internal, so there is no public traffic for a web ACL to filter
  count                      = local.has_alb ? 1 : 0
  name                       = "${local.prefix}-catalog"
  internal                   = true
  load_balancer_type         = "application"
  drop_invalid_header_fields = true
  enable_deletion_protection = local.environment.protected
  security_groups            = aws_security_group.alb[*].id
  subnets                    = aws_subnet.private[*].id
}

resource "aws_security_group" "alb" {
  count       = local.has_alb ? 1 : 0
  name        = "${local.prefix}-alb"
  description = "Load balancer: in from the network, nothing out (it invokes functions by the Lambda API)"
  vpc_id      = aws_vpc.this[0].id
}

locals {
  has_alb  = coalesce(var.alb, local.environment.alb)
  alb_port = local.environment.alb_certificate_arn == null ? 80 : 443
  alb_url  = one([for balancer in aws_lb.catalog : "${local.alb_port == 80 ? "http" : "https"}://${balancer.dns_name}"])
}

resource "aws_vpc_security_group_ingress_rule" "alb" {
  count             = local.has_alb ? 1 : 0
  security_group_id = aws_security_group.alb[0].id
  description       = "Callers within the network"
  ip_protocol       = "tcp"
  from_port         = local.alb_port
  to_port           = local.alb_port
  cidr_ipv4         = local.network
}

resource "aws_lb_listener" "catalog" {
  #checkov:skip=CKV_AWS_2:HTTPS if the environment has a certificate; HTTP stays within the private network
  #checkov:skip=CKV_AWS_103:TLS 1.2 or later if the environment has a certificate
  count             = local.has_alb ? 1 : 0
  load_balancer_arn = aws_lb.catalog[0].arn
  port              = local.alb_port
  protocol          = local.environment.alb_certificate_arn == null ? "HTTP" : "HTTPS"
  certificate_arn   = local.environment.alb_certificate_arn
  ssl_policy        = local.environment.alb_certificate_arn == null ? null : "ELBSecurityPolicy-TLS13-1-2-2021-06"

  # For requests that match no function's listener rule.
  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "Not found"
      status_code  = "404"
    }
  }
}
