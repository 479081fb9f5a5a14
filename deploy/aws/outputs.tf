output "load_balancer" {
  description = "Where the domain must point (CNAME, or alias in Route 53)."
  value       = module.edge.host
}

output "registry" {
  description = "Where the image is pushed to."
  value       = module.registry.url
}

output "backups_bucket" {
  description = "Bucket of the backups."
  value       = module.backups.name
}

output "uploads_bucket" {
  description = "Bucket for the files to load, under olist/."
  value       = module.uploads.name
}

output "database" {
  description = "Identifier of the RDS instance."
  value       = module.database.identifier
}

output "cluster" {
  description = "ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "services" {
  description = "ECS services that run for ever."
  value       = "${module.web.name} ${module.worker.name}"
}

output "tasks" {
  description = "Kinds of tasks, each with its task definition and its log."
  value       = { for kind, task in module.task : kind => { family = task.family, log_group = task.log_group } }
}

output "region" {
  description = "Where all of it is."
  value       = var.region
}

output "task_network" {
  description = "Subnets and security group of a task started by hand, as `aws ecs run-task --network-configuration` takes them."
  value       = "awsvpcConfiguration={subnets=[${join(",", module.network.private_subnet_ids)}],securityGroups=[${module.network.security_group_ids["tasks"]}]}"
}

output "admin_secret" {
  description = "Secret that holds the first admin's password."
  value       = module.secrets.arns["admin-password"]
}
