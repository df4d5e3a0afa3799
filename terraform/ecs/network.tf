resource "aws_security_group" "instances" {
  name        = "${var.name}-instances"
  description = "Instances that agents run on"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-instances" })

  lifecycle {
    create_before_destroy = true
  }
}

# Live logs; nothing else comes in. Nobody logs in by SSH: shells are Session Manager's.
resource "aws_vpc_security_group_ingress_rule" "logs" {
  for_each = toset(var.controller_security_group_ids)

  security_group_id            = aws_security_group.instances.id
  description                  = "Live logs, read by the controllers"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = each.value
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "controller" {
  for_each = toset(var.controller_security_group_ids)

  security_group_id            = aws_security_group.instances.id
  description                  = "Claims, heartbeats and reports, to the controllers"
  ip_protocol                  = "tcp"
  from_port                    = var.controller_port
  to_port                      = var.controller_port
  referenced_security_group_id = each.value
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "other" {
  for_each = var.egress

  security_group_id = aws_security_group.instances.id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value.from_port
  to_port           = each.value.to_port
  cidr_ipv4         = each.value.cidr_ipv4
  tags              = local.tags
}
