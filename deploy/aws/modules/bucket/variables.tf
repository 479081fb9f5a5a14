variable "name" {
  description = "Name of the bucket, unique in the world."
  type        = string
}

variable "protected" {
  description = "Whether the bucket refuses to be deleted while it holds anything."
  type        = bool
}

variable "old_versions_days" {
  description = "For how long deleted and overwritten objects can be brought back."
  type        = number
}

variable "cheaper_after_days" {
  description = "After how many days objects move to the storage class for what is seldom read; null: never."
  type        = number
  default     = null
}
