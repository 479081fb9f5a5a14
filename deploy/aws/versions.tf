terraform {
  # 1.11 brought write-only arguments: passwords reach Secrets Manager without passing through the state.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Which bucket and key: `terraform init -backend-config=...` (README).
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Service = var.name }
  }
}
