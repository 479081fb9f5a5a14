# What must be given.

variable "region" {
  description = "AWS region that everything runs in, such as eu-west-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must look like eu-west-1."
  }
}

variable "domain" {
  description = "Host name under which people and programs reach the service, such as forge.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a host name in lower case, such as forge.example.com."
  }
}

variable "certificate_arn" {
  description = "ARN of the ACM certificate for the domain, in the same region."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of an ACM certificate."
  }
}

variable "database_ca_file" {
  description = "File with the certificate authorities of RDS in this region (PEM): the region's own bundle, not the global one, which is too long for a task definition."
  type        = string

  validation {
    condition     = can(regex("-----BEGIN CERTIFICATE-----", file(var.database_ca_file))) && length(file(var.database_ca_file)) < 16384
    error_message = "database_ca_file must be a readable file of PEM certificates of less than 16 KiB: REGION-bundle.pem of RDS."
  }
}

variable "alarm_email" {
  description = "Mail address to which alarms go; AWS asks it to confirm once."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "alarm_email must be a mail address."
  }
}

variable "image_tag" {
  description = "Tag of the image in the registry that this configuration makes. Tags are immutable: each version has its own."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag must be a tag of its own for each version, such as 0.1.0; not latest."
  }
}

# What may be given.

variable "name" {
  description = "Name of the service and beginning of the names of its parts."
  type        = string
  default     = "dataforge"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "network_cidr" {
  description = "Addresses of the VPC; subnets of a sixteenth of it each are cut from it."
  type        = string
  default     = "10.40.0.0/20"

  validation {
    condition     = can(cidrnetmask(var.network_cidr)) && try(tonumber(split("/", var.network_cidr)[1]), 99) <= 24
    error_message = "network_cidr must be a block of IPv4 addresses of at least /24, such as 10.40.0.0/20."
  }
}

variable "allowed_cidrs" {
  description = "Addresses from which the service may be reached over HTTPS."
  type        = set(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for block in var.allowed_cidrs : can(cidrnetmask(block))])
    error_message = "allowed_cidrs must be blocks of IPv4 addresses, at least one."
  }
}

variable "multi_az" {
  description = "Whether a second database stands by in another zone, and the endpoints to AWS are in both: survives the loss of a zone, at twice the cost of the two."
  type        = bool
  default     = false
}

variable "protected" {
  description = "Whether database, load balancer and buckets refuse to be deleted. Must be off for `terraform destroy`."
  type        = bool
  default     = true
}

variable "database_class" {
  description = "Class of the database instance; db.t4g.micro is the smallest."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_class))
    error_message = "database_class must look like db.t4g.micro or db.m8g.large."
  }
}

variable "database_version" {
  description = "Version of PostgreSQL on RDS, 15 or newer: a major version alone takes the minor ones as RDS brings them."
  type        = string
  default     = "18"

  validation {
    condition     = try(tonumber(split(".", var.database_version)[0]), 0) >= 15
    error_message = "database_version must be 15 or newer, such as 18."
  }
}

variable "database_storage_gib" {
  description = "Disk of the database at the start, in GiB."
  type        = number
  default     = 20

  validation {
    condition     = var.database_storage_gib >= 20
    error_message = "database_storage_gib must be at least 20."
  }
}

variable "database_storage_max_gib" {
  description = "Up to how many GiB the disk grows by itself."
  type        = number
  default     = 100

  validation {
    condition     = var.database_storage_max_gib > var.database_storage_gib
    error_message = "database_storage_max_gib must be more than database_storage_gib."
  }
}

variable "database_backup_days" {
  description = "How many days back RDS can restore the whole database to any second."
  type        = number
  default     = 7

  validation {
    condition     = var.database_backup_days >= 1 && var.database_backup_days <= 35
    error_message = "database_backup_days must be 1 to 35."
  }
}

variable "password_version" {
  description = "Counted up by one, it makes new passwords: of the database's owner and of the first admin."
  type        = number
  default     = 1
}

variable "secret_key_version" {
  description = "Counted up by one, it makes a new SECRET_KEY: all sessions end."
  type        = number
  default     = 1
}

variable "web_tasks" {
  description = "How few and how many web tasks run; between them load decides."
  type        = object({ min = number, max = number })
  default     = { min = 1, max = 4 }

  validation {
    condition     = var.web_tasks.min >= 1 && var.web_tasks.max >= var.web_tasks.min
    error_message = "web_tasks: min must be at least 1, max at least min."
  }
}

variable "sizes" {
  description = "CPU units (1024 are a vCPU) and MiB of memory, as Fargate pairs them, of a web task, of a worker (also backups and single commands), and of a load."
  type        = map(object({ cpu = number, memory = number }))
  default = {
    web    = { cpu = 256, memory = 1024 }
    worker = { cpu = 256, memory = 1024 }
    load   = { cpu = 1024, memory = 4096 }
  }

  validation {
    condition     = toset(keys(var.sizes)) == toset(["web", "worker", "load"])
    error_message = "sizes must give web, worker and load."
  }
}

variable "schedule" {
  description = "When EventBridge looks whether a backup is due (UTC); which tables are backed up when, the schedules in the admin say."
  type        = string
  default     = "cron(5 * * * ? *)"

  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.schedule))
    error_message = "schedule must be cron(...) or rate(...)."
  }
}

variable "backup_stores" {
  description = "Names of further stores of backups, beside the one named default: each a prefix of that name in the bucket of backups."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.backup_stores : can(regex("^[a-z][a-z0-9_-]{0,49}$", name)) && !contains(["default", "backups"], name)])
    error_message = "backup_stores must be names of small letters, digits, - and _, a letter first, 50 at most; not default, and not backups, which is where that lies."
  }
}

variable "backup_age_hours" {
  description = "After how many hours without a new backup an alarm goes off."
  type        = number
  default     = 26

  validation {
    condition     = var.backup_age_hours >= 2 && var.backup_age_hours <= 168
    error_message = "backup_age_hours must be 2 to 168."
  }
}

variable "old_versions_days" {
  description = "How many days a deleted or overwritten backup can still be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.old_versions_days >= 1
    error_message = "old_versions_days must be at least 1."
  }
}

variable "reject_percent" {
  description = "Above how many rejected records in a hundred, over 15 minutes, an alarm goes off."
  type        = number
  default     = 10

  validation {
    condition     = var.reject_percent > 0 && var.reject_percent < 100
    error_message = "reject_percent must be between 0 and 100."
  }
}

variable "log_days" {
  description = "How many days logs are kept, as CloudWatch counts them."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "log_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731."
  }
}
