# A private network for the load balancer, and for functions if the environment requires it. Functions in the network
# reach only S3 and DynamoDB, through gateway endpoints, which are free of charge.

locals {
  has_network = local.environment.vpc || local.has_alb
  network     = "10.20.0.0/16"

  # Only for functions that need no services except S3 and DynamoDB.
  vpc = local.environment.vpc ? {
    subnet_ids         = aws_subnet.private[*].id
    security_group_ids = aws_security_group.functions[*].id
  } : null
}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:only the first two are used
  count = local.has_network ? 1 : 0
  state = "available"
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:it contains only functions and the internal load balancer, whose requests are logged
  count                = local.has_network ? 1 : 0
  cidr_block           = local.network
  enable_dns_hostnames = true
  tags                 = { Name = local.prefix }
}

# Removes all rules of the default security group, which nothing uses.
resource "aws_default_security_group" "closed" {
  count  = local.has_network ? 1 : 0
  vpc_id = aws_vpc.this[0].id
}

resource "aws_subnet" "private" {
  count             = local.has_network ? 2 : 0
  vpc_id            = aws_vpc.this[0].id
  availability_zone = data.aws_availability_zones.available[0].names[count.index]
  cidr_block        = cidrsubnet(local.network, 4, count.index)
  tags              = { Name = "${local.prefix}-private-${count.index}" }
}

resource "aws_route_table" "private" {
  count  = local.has_network ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = { Name = "${local.prefix}-private" }
}

resource "aws_route_table_association" "private" {
  count          = local.has_network ? 2 : 0
  route_table_id = aws_route_table.private[0].id
  subnet_id      = aws_subnet.private[count.index].id
}

resource "aws_vpc_endpoint" "gateway" {
  for_each          = toset(local.environment.vpc ? ["dynamodb", "s3"] : [])
  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${local.region}.${each.value}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.private[*].id
  tags              = { Name = "${local.prefix}-${each.value}" }
}

resource "aws_security_group" "functions" {
  #checkov:skip=CKV2_AWS_5:attached to functions through local.vpc
  count       = local.environment.vpc ? 1 : 0
  name        = "${local.prefix}-functions"
  description = "Functions: out to S3 and DynamoDB, nothing in"
  vpc_id      = aws_vpc.this[0].id
}

resource "aws_vpc_security_group_egress_rule" "functions" {
  for_each          = aws_vpc_endpoint.gateway
  security_group_id = aws_security_group.functions[0].id
  description       = "HTTPS to ${each.key}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = each.value.prefix_list_id
}
