variable "cluster" {
  description = "Name of the cluster."
  type        = string
}

variable "service" {
  description = "Name of the service."
  type        = string
}

variable "tasks" {
  description = "How few and how many tasks run."
  type        = object({ min = number, max = number })
}
