variable "name" {
  description = "Name of the repository."
  type        = string
}

variable "protected" {
  description = "Whether the repository refuses to be deleted while it holds images."
  type        = bool
}
