variable "name" {
  description = "Beginning of all names, and namespace of the figures."
  type        = string
}

variable "email" {
  description = "Where alarms go."
  type        = string
}

variable "cluster_arn" {
  description = "Cluster whose failed tasks are told of."
  type        = string
}

variable "log_groups" {
  description = "Log groups of the tasks, by kind of task."
  type        = map(string)
}

variable "edge" {
  description = "How CloudWatch names the load balancer and its target group."
  type        = object({ LoadBalancer = string, TargetGroup = string })
}

variable "database" {
  description = "The database: name, class, and disk at the start."
  type        = object({ identifier = string, class = string, storage_gib = number })
}

variable "backup_age_hours" {
  description = "After how many hours without a backup an alarm goes off."
  type        = number
}

variable "reject_percent" {
  description = "Above how many refused records in a hundred an alarm goes off."
  type        = number
}
