variable "name" {
  description = "Beginning of all names."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC."
  type        = string
}

variable "allowed_cidrs" {
  description = "Addresses that may reach the load balancer."
  type        = set(string)
}

variable "multi_az" {
  description = "Whether the endpoints to AWS are in both zones."
  type        = bool
}

variable "web_port" {
  description = "Port on which the web tasks listen."
  type        = number
}
