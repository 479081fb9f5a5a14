variable "name" {
  description = "Name of the service."
  type        = string
}

variable "cluster_arn" {
  description = "Cluster that it runs in."
  type        = string
}

variable "task_definition_arn" {
  description = "What runs, with its revision."
  type        = string
}

variable "tasks" {
  description = "How many run at first."
  type        = number
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of tasks."
  type        = string
}

variable "target" {
  description = "Target group of the load balancer and the port behind it, if it has one."
  type        = object({ group_arn = string, port = number })
  default     = null
}
