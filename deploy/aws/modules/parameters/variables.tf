variable "name" {
  description = "Beginning of all names."
  type        = string
}

variable "engine_version" {
  description = "Version of PostgreSQL."
  type        = string
}
