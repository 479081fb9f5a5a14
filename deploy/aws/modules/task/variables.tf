variable "name" {
  description = "Family of the task definition, and beginning of all names."
  type        = string
}

variable "image" {
  description = "Image with its tag."
  type        = string
}

variable "registry_arn" {
  description = "Repository of the image."
  type        = string
}

variable "command" {
  description = "What runs instead of the image's own command."
  type        = list(string)
  default     = null
}

variable "port" {
  description = "Port on which it listens, if any."
  type        = number
  default     = null
}

variable "size" {
  description = "CPU units and MiB of memory."
  type        = object({ cpu = number, memory = number })
}

variable "scratch" {
  description = "The one folder that can be written."
  type        = string
}

variable "environment" {
  description = "Settings."
  type        = map(string)
}

variable "secrets" {
  description = "Settings that Secrets Manager keeps: the secret, and what of it is the value (for a JSON secret, one key)."
  type        = map(object({ arn = string, value_from = string }))
}

variable "reads" {
  description = "ARNs of buckets that it may read."
  type        = list(string)
  default     = []
}

variable "writes" {
  description = "ARNs of buckets that it may read and write."
  type        = list(string)
  default     = []
}

variable "log_days" {
  description = "How long its log is kept."
  type        = number
}
