variable "name" {
  description = "Beginning of all names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, in two zones."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the load balancer."
  type        = string
}

variable "certificate_arn" {
  description = "ACM certificate of the domain."
  type        = string
}

variable "web_port" {
  description = "Port on which the web tasks listen."
  type        = number
}

variable "protected" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
}
