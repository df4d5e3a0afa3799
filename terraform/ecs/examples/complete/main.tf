# An agent runtime beside controllers that run elsewhere in the same VPC.
terraform {
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Environment = "example" }
  }
}

variable "region" {
  description = "Region of the VPC."
  type        = string
  default     = "eu-central-1"
}

variable "vpc_id" {
  description = "The VPC that the controllers run in."
  type        = string
}

variable "private_subnet_ids" {
  description = "Its private subnets."
  type        = list(string)
}

variable "controller_security_group_id" {
  description = "Security group of the controllers' load balancer."
  type        = string
}

# Made beforehand, so that their values are in no state and no plan. One JSON secret with several keys does as well.
data "aws_secretsmanager_secret" "kohakku" {
  for_each = toset(["callback-signing-key", "s3-access-key", "s3-secret-key", "dispatcher-database-password"])

  name = "kohakku/${each.key}"
}

module "runtime" {
  source = "../.."

  name               = "kohakku"
  vpc_id             = var.vpc_id
  private_subnet_ids = var.private_subnet_ids

  controller_url                = "https://kohakku.example.com"
  controller_security_group_ids = [var.controller_security_group_id]
  controller_port               = 443

  dispatcher_version    = "0.1.0"
  instance_type         = "m7i.2xlarge"
  instance_count        = { min = 2, max = 12 }
  max_concurrent_agents = 16
  dispatcher_labels     = { zone = "ecs" }

  object_storage = {
    endpoint = "https://s3.${var.region}.amazonaws.com"
    region   = var.region
    bucket   = "example-kohakku"
  }

  secret_arns = {
    callback_signing_key = data.aws_secretsmanager_secret.kohakku["callback-signing-key"].arn
    s3_access_key        = data.aws_secretsmanager_secret.kohakku["s3-access-key"].arn
    s3_secret_key        = data.aws_secretsmanager_secret.kohakku["s3-secret-key"].arn
    database_password    = data.aws_secretsmanager_secret.kohakku["dispatcher-database-password"].arn
  }

  agent_repositories = ["coder", "reviewer"]
  agent_image_tags   = { coder = ["1.4.0"], reviewer = ["2.0.1"] }

  queue_age_metric = {
    namespace = "Kohakku"
    name      = "kohakku_queue_age_seconds"
  }
}

output "agent_image_registry" {
  description = "For the controller's AGENT_IMAGE_REGISTRY."
  value       = module.runtime.agent_image_registry
}

output "dispatcher_repository_url" {
  description = "Where to push the dispatcher's image to, before the first apply of the service settles."
  value       = module.runtime.dispatcher_repository_url
}
