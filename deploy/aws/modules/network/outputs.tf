output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Subnets of tasks and database."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "security_group_ids" {
  description = "Security groups by part: edge, tasks, database, endpoints."
  value       = { for name, group in aws_security_group.this : name => group.id }
}
