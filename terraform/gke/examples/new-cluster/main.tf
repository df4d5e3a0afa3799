# A cluster of its own in an existing network, with dispatchers for a controller elsewhere. The kubernetes provider needs the cluster's address:
# the first time, apply with -target=module.runtime.google_container_node_pool.system, then whole.
terraform {
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50.0, < 8.0.0"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 6.50.0, < 8.0.0"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.35.0, < 3.0.0"
    }
  }
}

variable "project_id" {
  description = "The project."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
  default     = "europe-west3"
}

provider "google" {
  project = var.project_id
  region  = var.region
}

provider "google-beta" {
  project = var.project_id
  region  = var.region
}

# Who applies this, and for an hour: no credentials of the cluster are kept.
data "google_client_config" "current" {}

provider "kubernetes" {
  host                   = "https://${module.runtime.cluster_endpoint}"
  token                  = data.google_client_config.current.access_token
  cluster_ca_certificate = base64decode(module.runtime.cluster_ca_certificate)
}

module "runtime" {
  source = "../.."

  project_id = var.project_id
  region     = var.region

  network = {
    network       = "production"
    subnetwork    = "production-${var.region}"
    pods_range    = "pods"
    service_range = "services"
  }
  control_plane = {
    authorized_networks = { operators = "10.10.0.0/24" }
    ipv4_cidr           = "172.16.0.0/28"
  }
  agent_pool = {
    machine_type = "n2-standard-16"
    max          = 40
  }

  controller_url      = "https://kohakku.example.com"
  dispatcher_version  = "0.1.0"
  dispatcher_replicas = 3
  dispatcher_labels   = { zone = "gke" }

  object_storage = {
    endpoint = "https://storage.googleapis.com"
    region   = var.region
    bucket   = "example-kohakku"
  }
  egress = {
    database = { port = 5432, cidr = "10.20.0.0/24" }
    # The controller, and object storage.
    https = { port = 443, cidr = "0.0.0.0/0" }
  }
}

output "registry" {
  description = "Where to push images to."
  value       = module.runtime.registry
}

output "dispatcher_databases" {
  description = "Databases to make."
  value       = module.runtime.dispatcher_databases
}
