# Who may speak to whom: browsers -> edge -> tasks -> database, endpoints and S3. Nothing else.

locals {
  groups = {
    edge      = "The load balancer"
    tasks     = "Web, worker and single tasks"
    database  = "PostgreSQL"
    endpoints = "AWS endpoints inside the VPC"
  }
  between = {
    edge_to_tasks      = { from = "edge", to = "tasks", port = var.web_port }
    tasks_to_database  = { from = "tasks", to = "database", port = 5432 }
    tasks_to_endpoints = { from = "tasks", to = "endpoints", port = 443 }
  }
}

resource "aws_security_group" "this" {
  for_each    = local.groups
  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each          = var.allowed_cidrs
  security_group_id = aws_security_group.this["edge"].id
  description       = "HTTPS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  for_each          = var.allowed_cidrs
  security_group_id = aws_security_group.this["edge"].id
  description       = "HTTP, answered by the way to HTTPS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "between" {
  for_each                     = local.between
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "between" {
  for_each                     = local.between
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.this["tasks"].id
  description       = "S3"
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
