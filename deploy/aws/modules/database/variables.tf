variable "name" {
  description = "Identifier of the instance."
  type        = string
}

variable "engine_version" {
  description = "Version of PostgreSQL."
  type        = string
}

variable "parameter_group_name" {
  description = "How PostgreSQL is set; null: as RDS sets it by itself."
  type        = string
}

variable "instance_class" {
  description = "Class of the instance."
  type        = string
}

variable "storage_gib" {
  description = "Disk at the start."
  type        = number
}

variable "storage_max_gib" {
  description = "Up to where the disk grows by itself."
  type        = number
}

variable "multi_az" {
  description = "Whether a second instance stands by in another zone."
  type        = bool
}

variable "backup_days" {
  description = "How far back RDS can restore."
  type        = number
}

variable "protected" {
  description = "Whether the instance refuses to be deleted, and leaves a last snapshot."
  type        = bool
}

variable "subnet_ids" {
  description = "Private subnets, in two zones."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the instance."
  type        = string
}

variable "log_days" {
  description = "How long PostgreSQL's log is kept."
  type        = number
}
