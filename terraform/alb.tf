# The catalog behind a load balancer as well, for callers within the network: internal, since a load balancer checks no API keys

resource "aws_lb" "catalog" {
  #checkov:skip=CKV_AWS_91:the function logs each request
  #checkov:skip=CKV_AWS_150:deletion protection is a decision of the environment
  #checkov:skip=CKV2_AWS_20:internal; with a certificate it speaks HTTPS only
  #checkov:skip=CKV2_AWS_28:internal: a web application firewall has nobody to keep out
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
  #checkov:skip=CKV_AWS_2:HTTPS as soon as the environment has a certificate; without one it is for the private network only
  #checkov:skip=CKV_AWS_103:the policy needs a certificate; it is TLS 1.3 then
  count             = local.has_alb ? 1 : 0
  load_balancer_arn = aws_lb.catalog[0].arn
  port              = local.alb_port
  protocol          = local.environment.alb_certificate_arn == null ? "HTTP" : "HTTPS"
  certificate_arn   = local.environment.alb_certificate_arn
  ssl_policy        = local.environment.alb_certificate_arn == null ? null : "ELBSecurityPolicy-TLS13-1-2-2021-06"

  # What no function's rule takes
  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "Not found"
      status_code  = "404"
    }
  }
}
