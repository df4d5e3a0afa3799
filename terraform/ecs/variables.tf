variable "name" {
  description = "Prefix of everything that is made; several runtimes in one account take several names."
  type        = string
  default     = "kohakku"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name takes 3 to 24 lower-case letters, digits and hyphens; it begins with a letter and ends with no hyphen."
  }
}

variable "tags" {
  description = "Tags of everything that takes them, besides the provider's default tags."
  type        = map(string)
  default     = {}
}

# Network

variable "vpc_id" {
  description = "The VPC that the runtime runs in."
  type        = string

  validation {
    condition     = can(regex("^vpc-[0-9a-f]{8,17}$", var.vpc_id))
    error_message = "vpc_id takes the id of a VPC, like vpc-0123456789abcdef0."
  }
}

variable "private_subnet_ids" {
  description = "Subnets of that VPC for the instances, best one per zone. They need a way out (NAT or endpoints) to ECS, ECR, CloudWatch Logs, Secrets Manager, SSM, the object storage and the registries of agents' images."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) > 0 && alltrue([for id in var.private_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "private_subnet_ids takes one subnet id or more, like subnet-0123456789abcdef0."
  }

  validation {
    condition     = length(distinct(var.private_subnet_ids)) == length(var.private_subnet_ids)
    error_message = "private_subnet_ids names a subnet twice."
  }
}

variable "controller_security_group_ids" {
  description = "Security groups of the controllers: they may read live logs from dispatchers, and dispatchers may call them on controller_port."
  type        = list(string)

  validation {
    condition     = length(var.controller_security_group_ids) > 0 && alltrue([for id in var.controller_security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "controller_security_group_ids takes one security group id or more, like sg-0123456789abcdef0."
  }
}

variable "controller_port" {
  description = "The port that controller_security_group_ids are called on: 8000 for controllers themselves, 443 for a load balancer before them."
  type        = number
  default     = 8000

  validation {
    condition     = var.controller_port >= 1 && var.controller_port <= 65535 && floor(var.controller_port) == var.controller_port
    error_message = "controller_port takes a whole number from 1 to 65535."
  }
}

variable "egress" {
  description = "What else instances, and with them agents whose network mode is `internet`, may call: a name to ports and addresses. Everything not named is closed."
  type = map(object({
    from_port = number
    to_port   = number
    cidr_ipv4 = string
  }))
  default = {
    https = { from_port = 443, to_port = 443, cidr_ipv4 = "0.0.0.0/0" }
  }

  validation {
    condition     = alltrue([for rule in var.egress : can(cidrhost(rule.cidr_ipv4, 0)) && rule.from_port >= 1 && rule.to_port <= 65535 && rule.from_port <= rule.to_port])
    error_message = "Each of egress takes an IPv4 network like 10.0.0.0/16, and ports from 1 to 65535, the lower one first."
  }
}

# Instances

variable "instance_type" {
  description = "Type of the instances that agents run on. An instance has one dispatcher; its agents share the rest."
  type        = string
  default     = "m7i.2xlarge"

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type takes a type like m7i.2xlarge."
  }
}

variable "ami_id" {
  description = "Image of the instances; null for the current ECS-optimized Amazon Linux 2023 for ami_architecture. Set it to decide yourself when it changes."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id takes an image id, like ami-0123456789abcdef0, or null."
  }
}

variable "ami_architecture" {
  description = "Processors of instance_type, where ami_id is null: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.ami_architecture)
    error_message = "ami_architecture takes x86_64 or arm64."
  }
}

variable "instance_count" {
  description = "How many instances there are at least and at most. queue_age_metric decides between them; without it there are the fewest."
  type = object({
    min = number
    max = number
  })
  default = { min = 2, max = 10 }

  validation {
    condition     = var.instance_count.min >= 0 && var.instance_count.max >= 1 && var.instance_count.min <= var.instance_count.max
    error_message = "instance_count takes 0 or more as min, 1 or more as max, and no min above max."
  }
}

variable "root_volume" {
  description = "The instances' disk: images, workspaces, logs under way and the dispatcher's database. kms_key_id null is the account's default key for EBS; a key of your own must let the AWSServiceRoleForAutoScaling role use it."
  type = object({
    size_gib   = optional(number, 200)
    iops       = optional(number, 3000)
    throughput = optional(number, 250)
    kms_key_id = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.root_volume.size_gib >= 30 && var.root_volume.iops >= 3000 && var.root_volume.iops <= 16000 && var.root_volume.throughput >= 125 && var.root_volume.throughput <= 1000
    error_message = "root_volume takes 30 GiB or more, 3000 to 16000 iops and a throughput of 125 to 1000 MiB/s (gp3)."
  }
}

variable "queue_age_metric" {
  description = "The CloudWatch metric that carries the controller's `kohakku.queue.age`, as your collector publishes it (README, \"Scaling\"); null scales nothing."
  type = object({
    namespace         = string
    name              = string
    dimensions        = optional(map(string), {})
    threshold_seconds = optional(number, 30)
  })
  default = null

  validation {
    condition     = var.queue_age_metric == null ? true : var.queue_age_metric.threshold_seconds > 0 && length(var.queue_age_metric.name) > 0 && length(var.queue_age_metric.namespace) > 0
    error_message = "queue_age_metric takes a namespace, a name and a threshold above 0 seconds."
  }
}

# The dispatcher

variable "dispatcher_image" {
  description = "Image of the dispatcher, with a tag other than latest, or a digest. Default: the repository that this module makes, with dispatcher_version."
  type        = string
  default     = null

  validation {
    condition     = var.dispatcher_image == null ? true : can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*)$", var.dispatcher_image)) && !endswith(var.dispatcher_image, ":latest")
    error_message = "dispatcher_image takes an image with a tag other than latest, or with a digest."
  }
}

variable "dispatcher_version" {
  description = "Tag of the dispatcher's image, where dispatcher_image is null."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.dispatcher_version)) && var.dispatcher_version != "latest"
    error_message = "dispatcher_version takes a tag other than latest."
  }
}

variable "postgres_image" {
  description = "Image of the PostgreSQL that each dispatcher keeps its journal in."
  type        = string
  default     = "public.ecr.aws/docker/library/postgres:17.6"

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*)$", var.postgres_image)) && !endswith(var.postgres_image, ":latest")
    error_message = "postgres_image takes an image with a tag other than latest, or with a digest."
  }
}

variable "controller_url" {
  description = "Where dispatchers reach the controller (CONTROLLER_URL)."
  type        = string

  validation {
    condition     = can(regex("^https?://[^/ ]+$", var.controller_url))
    error_message = "controller_url takes an address like https://kohakku.example.com, without a path."
  }
}

variable "object_storage" {
  description = "Where logs and artifacts go (S3_ENDPOINT, S3_REGION, S3_BUCKET): the same as the controller's."
  type = object({
    endpoint = string
    region   = string
    bucket   = string
  })

  validation {
    condition     = can(regex("^https?://[^/ ]+$", var.object_storage.endpoint)) && can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.object_storage.bucket))
    error_message = "object_storage takes an endpoint like https://s3.eu-central-1.amazonaws.com and the name of a bucket."
  }
}

variable "secret_arns" {
  description = "Secrets Manager secrets, by ARN, with `:key::` after it for one key of a JSON secret. Their values are read by ECS when a task starts; Terraform never sees them. database_password is of your choice: nothing but the instance's own dispatcher uses it."
  type = object({
    callback_signing_key = string
    s3_access_key        = string
    s3_secret_key        = string
    database_password    = string
  })

  validation {
    condition     = alltrue([for arn in values(var.secret_arns) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?$", arn))])
    error_message = "Each of secret_arns takes the ARN of a secret in Secrets Manager, like arn:aws:secretsmanager:eu-central-1:123456789012:secret:kohakku-AbCdEf, or with :key:: after it."
  }
}

variable "secrets_kms_key_arns" {
  description = "Keys that those secrets are encrypted with, where it is not the account's aws/secretsmanager."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.secrets_kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "secrets_kms_key_arns takes ARNs of keys (not of aliases)."
  }
}

variable "max_concurrent_agents" {
  description = "Slots of one instance (MAX_CONCURRENT_AGENTS): as many agents run on it at once."
  type        = number
  default     = 16

  validation {
    condition     = var.max_concurrent_agents >= 1 && var.max_concurrent_agents <= 1000 && floor(var.max_concurrent_agents) == var.max_concurrent_agents
    error_message = "max_concurrent_agents takes a whole number from 1 to 1000."
  }
}

variable "dispatcher_labels" {
  description = "Labels of these dispatchers (DISPATCHER_LABELS): a task's labels must all be among them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, value in var.dispatcher_labels : !can(regex("[,=]", name)) && !can(regex(",", value)) && length(name) > 0])
    error_message = "dispatcher_labels takes names without commas and equals signs, and values without commas."
  }
}

variable "otlp_endpoint" {
  description = "Where traces, metrics and logs go (OTEL_EXPORTER_OTLP_ENDPOINT); null sends none. Open its port in egress."
  type        = string
  default     = null

  validation {
    condition     = var.otlp_endpoint == null || can(regex("^https?://[^ ]+$", var.otlp_endpoint))
    error_message = "otlp_endpoint takes an address like http://collector.internal:4317, or null."
  }
}

variable "content_root" {
  description = "The working directory of the dispatcher's image: each instance puts a file with its own name and address there."
  type        = string
  default     = "/app"

  validation {
    condition     = can(regex("^/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$", var.content_root))
    error_message = "content_root takes an absolute path without a slash at its end."
  }
}

# Images of agents

variable "agent_repositories" {
  description = "Names of repositories to make for agents' images, below `<name>-agents/`; set AGENT_IMAGE_REGISTRY of the controller to the output agent_image_registry."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for repository in var.agent_repositories : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", repository))])
    error_message = "agent_repositories takes names of lower-case letters and digits, with single . _ - and / within."
  }
}

variable "agent_image_tags" {
  description = "Tags to have on every instance, by name of an agent's repository. The dispatcher has no credentials for ECR, so instances fetch these with their own, at start and every quarter of an hour."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for repository in keys(var.agent_image_tags) : contains(var.agent_repositories, repository)])
    error_message = "agent_image_tags takes names that stand in agent_repositories."
  }

  validation {
    condition     = alltrue([for tag in flatten(values(var.agent_image_tags)) : can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", tag))])
    error_message = "agent_image_tags takes tags of letters, digits, and . _ - within."
  }
}

variable "images_kept" {
  description = "How many tagged images a repository keeps; the oldest go first. Images without a tag go after two weeks."
  type        = number
  default     = 50

  validation {
    condition     = var.images_kept >= 1 && var.images_kept <= 1000
    error_message = "images_kept takes a number from 1 to 1000."
  }
}

# Logs

variable "log_retention_days" {
  description = "How long CloudWatch keeps the dispatchers' logs. (Agents' logs are in the object storage, as long as RETENTION_DAYS of the scheduler says.)"
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days takes one of the terms that CloudWatch Logs offers, like 30, 90 or 365."
  }
}

variable "kms_key_arn" {
  description = "Key for log groups and repositories; null makes one. A key of your own must let CloudWatch Logs of the region use it for log groups of this account."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn takes the ARN of a key (not of an alias), or null."
  }
}
