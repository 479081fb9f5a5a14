variable "name" {
  description = "Name of the schedule."
  type        = string
}

variable "expression" {
  description = "When: cron(...) or rate(...), UTC."
  type        = string
}

variable "cluster_arn" {
  description = "Cluster that the task runs in."
  type        = string
}

variable "task" {
  description = "The task: its definition with and without revision, and its roles."
  type        = object({ arn = string, family_arn = string, role_arns = list(string) })
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of tasks."
  type        = string
}
