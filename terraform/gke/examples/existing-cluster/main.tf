# Dispatchers and agents in a cluster that is there, beside controllers that deploy/kubernetes has put into it.
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

data "google_container_cluster" "shared" {
  name     = "shared"
  location = var.region
}

provider "kubernetes" {
  host                   = "https://${data.google_container_cluster.shared.endpoint}"
  token                  = data.google_client_config.current.access_token
  cluster_ca_certificate = base64decode(data.google_container_cluster.shared.master_auth[0].cluster_ca_certificate)
}

module "runtime" {
  source = "../.."

  project_id = var.project_id
  region     = var.region

  existing_cluster = {
    name     = data.google_container_cluster.shared.name
    location = data.google_container_cluster.shared.location
  }
  create_namespace = false

  controller_url     = "http://controller:8000"
  dispatcher_version = "0.1.0"

  object_storage = {
    endpoint = "https://storage.googleapis.com"
    region   = var.region
    bucket   = "example-kohakku"
  }
  egress = {
    database = { port = 5432, cidr = "10.20.0.0/24" }
    storage  = { port = 443, cidr = "0.0.0.0/0" }
  }
}

output "agents_namespace" {
  description = "Where agents run."
  value       = module.runtime.agents_namespace
}
