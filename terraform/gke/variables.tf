variable "name" {
  description = "Prefix of everything that is made in the project; several runtimes in one project take several names."
  type        = string
  default     = "kohakku"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.name))
    error_message = "name takes 3 to 18 lower-case letters, digits and hyphens; it begins with a letter and ends with no hyphen."
  }
}

variable "project_id" {
  description = "The Google Cloud project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id takes the id of a project (not its number): 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Region of the cluster, where it is made here, and of the registry."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region takes a region (not a zone), like europe-west3."
  }
}

variable "labels" {
  description = "Labels of everything in the project that takes them."
  type        = map(string)
  default     = {}
}

# The cluster

variable "existing_cluster" {
  description = "A cluster to use, in the same project; null makes one. It must be VPC-native with Dataplane V2 (or another enforcement of network policies) and workload identity. The variables that shape a new cluster are then unused."
  type = object({
    name     = string
    location = string
  })
  default = null
}

variable "network" {
  description = "Where a new cluster is: a VPC network, a subnetwork of the region, and the names of that subnetwork's secondary ranges for pods and services. The network needs a way out (Cloud NAT): nodes have no public addresses."
  type = object({
    network       = string
    subnetwork    = string
    pods_range    = string
    service_range = string
  })
  default = null

  validation {
    condition     = (var.network == null) != (var.existing_cluster == null)
    error_message = "Give network for a new cluster, or existing_cluster: one of the two."
  }
}

variable "control_plane" {
  description = "How a new cluster's control plane is reached: only from these networks (a name to a CIDR), by a private endpoint alone or by a public one too, and in which /28 of the VPC it lies (null lets Google choose)."
  type = object({
    authorized_networks = map(string)
    private_endpoint    = optional(bool, true)
    ipv4_cidr           = optional(string)
  })
  default = { authorized_networks = {} }

  validation {
    condition     = alltrue([for cidr in values(var.control_plane.authorized_networks) : can(cidrhost(cidr, 0)) && cidr != "0.0.0.0/0"])
    error_message = "control_plane.authorized_networks takes networks like 10.0.0.0/16, and not the whole internet."
  }

  validation {
    condition     = var.control_plane.ipv4_cidr == null ? true : can(regex("/28$", var.control_plane.ipv4_cidr)) && can(cidrhost(var.control_plane.ipv4_cidr, 0))
    error_message = "control_plane.ipv4_cidr takes a /28, like 172.16.0.0/28, or null."
  }
}

variable "release_channel" {
  description = "How soon a new cluster gets new versions of Kubernetes."
  type        = string
  default     = "REGULAR"

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE", "EXTENDED"], var.release_channel)
    error_message = "release_channel takes RAPID, REGULAR, STABLE or EXTENDED."
  }
}

variable "maintenance_window" {
  description = "When Google may work on a new cluster's nodes: two times, and which days (RFC 5545). An upgraded node takes its agents along: their tasks run again."
  type = object({
    start      = string
    end        = string
    recurrence = string
  })
  default = {
    start      = "2026-01-03T02:00:00Z"
    end        = "2026-01-03T08:00:00Z"
    recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
  }

  validation {
    condition     = can(timecmp(var.maintenance_window.start, var.maintenance_window.end)) ? timecmp(var.maintenance_window.start, var.maintenance_window.end) < 0 : false
    error_message = "maintenance_window takes two times like 2026-01-03T02:00:00Z, the earlier one as start."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to destroy a new cluster."
  type        = bool
  default     = true
}

variable "secrets_kms_key" {
  description = "Cloud KMS key that a new cluster's Secrets are encrypted with in its store, besides Google's own encryption; null leaves it at that. The service agent of GKE must be allowed to use it."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.secrets_kms_key))
    error_message = "secrets_kms_key takes projects/…/locations/…/keyRings/…/cryptoKeys/…, or null."
  }
}

# Nodes

variable "system_pool" {
  description = "Nodes of a new cluster for what is no agent: the cluster's own pods and the dispatchers. Counts are per zone."
  type = object({
    machine_type = optional(string, "e2-standard-4")
    min_per_zone = optional(number, 1)
    max_per_zone = optional(number, 3)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.system_pool.min_per_zone >= 1 && var.system_pool.min_per_zone <= var.system_pool.max_per_zone
    error_message = "system_pool takes 1 or more as min_per_zone, and no more than max_per_zone."
  }
}

variable "agent_pool" {
  description = "Nodes that agents run on, in gVisor. Counts are of the whole pool; it follows what agents ask for, down to min. Types with one or two shared cores (e2-micro, e2-small, e2-medium) run no gVisor."
  type = object({
    machine_type = optional(string, "n2-standard-8")
    min          = optional(number, 0)
    max          = optional(number, 20)
    disk_gb      = optional(number, 200)
    spot         = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.agent_pool.min >= 0 && var.agent_pool.max >= 1 && var.agent_pool.min <= var.agent_pool.max && var.agent_pool.disk_gb >= 50
    error_message = "agent_pool takes 0 or more as min, 1 or more as max, no min above max, and 50 GB or more."
  }

  validation {
    condition     = !contains(["e2-micro", "e2-small", "e2-medium"], var.agent_pool.machine_type)
    error_message = "agent_pool.machine_type has too few processors for gVisor."
  }
}

# The registry

variable "registry_kms_key" {
  description = "Cloud KMS key for images; null is Google's own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.registry_kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.registry_kms_key))
    error_message = "registry_kms_key takes projects/…/locations/…/keyRings/…/cryptoKeys/…, or null."
  }
}

variable "images_kept" {
  description = "How many versions of each image the registry keeps at least. Images without a tag go after two weeks."
  type        = number
  default     = 50

  validation {
    condition     = var.images_kept >= 1 && floor(var.images_kept) == var.images_kept
    error_message = "images_kept takes a whole number from 1."
  }
}

# Namespaces

variable "namespace" {
  description = "Namespace of the dispatchers."
  type        = string
  default     = "kohakku"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace takes 1 to 63 lower-case letters, digits and hyphens."
  }
}

variable "create_namespace" {
  description = "Whether to make that namespace, with its default deny. false where deploy/kubernetes, or something else, has made it."
  type        = bool
  default     = true
}

variable "agents_namespace" {
  description = "Namespace that agents run in, and nothing else does. It is made here."
  type        = string
  default     = "kohakku-agents"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.agents_namespace)) && var.agents_namespace != var.namespace
    error_message = "agents_namespace takes 1 to 63 lower-case letters, digits and hyphens, and another name than namespace."
  }
}

variable "agents_quota" {
  description = "What all agents together may ask for."
  type = object({
    pods   = optional(number, 320)
    cpu    = optional(string, "160")
    memory = optional(string, "320Gi")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.agents_quota.pods >= 1 && can(regex("^[0-9]+m?$", var.agents_quota.cpu)) && can(regex("^[0-9]+(Mi|Gi|Ti)$", var.agents_quota.memory))
    error_message = "agents_quota takes 1 pod or more, processors like 160 or 1500m, and memory like 320Gi."
  }
}

# The dispatchers

variable "dispatcher_image" {
  description = "Image of the dispatcher, with a tag other than latest, or a digest. Default: `dispatcher` in the registry that this module makes, with dispatcher_version."
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

variable "dispatcher_replicas" {
  description = "How many dispatchers there are. Each has a database of its own, dispatcher-0 and so on, which must be there."
  type        = number
  default     = 2

  validation {
    condition     = var.dispatcher_replicas >= 0 && floor(var.dispatcher_replicas) == var.dispatcher_replicas
    error_message = "dispatcher_replicas takes a whole number from 0."
  }
}

variable "wait_for_rollout" {
  description = "Whether an apply waits until the dispatchers are ready."
  type        = bool
  default     = true
}

variable "controller_url" {
  description = "Where dispatchers reach the controller (CONTROLLER_URL)."
  type        = string

  validation {
    condition     = can(regex("^https?://[^/ ]+$", var.controller_url))
    error_message = "controller_url takes an address like https://kohakku.example.com or http://controller:8000, without a path."
  }
}

variable "egress" {
  description = "What dispatchers may call besides the controllers of their namespace and the cluster's API: a name to a port and a network. The database, the object storage, a controller elsewhere."
  type = map(object({
    port = number
    cidr = string
  }))

  validation {
    condition     = alltrue([for rule in var.egress : can(cidrhost(rule.cidr, 0)) && rule.port >= 1 && rule.port <= 65535])
    error_message = "Each of egress takes a port from 1 to 65535 and a network like 10.20.0.0/24."
  }
}

variable "api_server_cidr" {
  description = "Network of the cluster's API, which dispatchers make agents' Jobs by: the control plane's address as a /32, or its /28. Null takes the address of the cluster's endpoint."
  type        = string
  default     = null

  validation {
    condition     = var.api_server_cidr == null || can(cidrhost(var.api_server_cidr, 0))
    error_message = "api_server_cidr takes a network like 172.16.0.0/28, or null."
  }
}

variable "object_storage" {
  description = "Where logs and artifacts go (S3_ENDPOINT, S3_REGION, S3_BUCKET): the same as the controller's. Cloud Storage speaks this protocol at https://storage.googleapis.com, with HMAC keys."
  type = object({
    endpoint = string
    region   = string
    bucket   = string
  })

  validation {
    condition     = can(regex("^https?://[^/ ]+$", var.object_storage.endpoint)) && can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.object_storage.bucket))
    error_message = "object_storage takes an endpoint like https://storage.googleapis.com and the name of a bucket."
  }
}

variable "secrets" {
  description = "Keys of Secrets in the dispatchers' namespace, made beforehand; their values are in no state. database is a connection string without a database: each dispatcher adds its own."
  type = object({
    callback_signing_key = optional(object({ name = string, key = string }), { name = "kohakku-signing", key = "callback-signing-key" })
    s3_access_key        = optional(object({ name = string, key = string }), { name = "kohakku-storage", key = "access-key" })
    s3_secret_key        = optional(object({ name = string, key = string }), { name = "kohakku-storage", key = "secret-key" })
    database             = optional(object({ name = string, key = string }), { name = "kohakku-dispatcher", key = "database" })
  })
  default  = {}
  nullable = false
}

variable "max_concurrent_agents" {
  description = "Slots of one dispatcher (MAX_CONCURRENT_AGENTS)."
  type        = number
  default     = 32

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

variable "dispatcher_roles" {
  description = "Roles in the project that dispatchers get by workload identity. They need none; each is also what an agent that breaks out of its dispatcher would have."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for role in var.dispatcher_roles : can(regex("^(roles/|projects/[^/]+/roles/)[A-Za-z0-9_.]+$", role)) && !contains(["roles/owner", "roles/editor", "roles/viewer"], role)])
    error_message = "dispatcher_roles takes roles like roles/cloudtrace.agent, and none of the basic ones."
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
