variable "name" {
  description = "Beginning of all names."
  type        = string
}

variable "versions" {
  description = "Names of the secrets, each with its version number."
  type        = map(number)
}

variable "protected" {
  description = "Whether a deleted secret can be brought back for 30 days."
  type        = bool
}
