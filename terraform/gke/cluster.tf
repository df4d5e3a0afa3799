resource "google_container_cluster" "this" {
  count = local.is_new ? 1 : 0

  project             = var.project_id
  name                = var.name
  location            = var.region
  deletion_protection = var.deletion_protection
  resource_labels     = local.labels

  network         = var.network.network
  subnetwork      = var.network.subnetwork
  networking_mode = "VPC_NATIVE"
  # Dataplane V2: what enforces the network policies of dispatcher.tf and agents.tf.
  datapath_provider           = "ADVANCED_DATAPATH"
  enable_intranode_visibility = true
  enable_shielded_nodes       = true

  # Pools are resources of their own. The one that a cluster is born with is removed; while it lives it has the nodes' account too.
  remove_default_node_pool = true
  initial_node_count       = 1

  node_config {
    service_account = google_service_account.nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = var.network.pods_range
    services_secondary_range_name = var.network.service_range
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = var.control_plane.private_endpoint
    master_ipv4_cidr_block  = var.control_plane.ipv4_cidr
  }

  master_authorized_networks_config {
    gcp_public_cidrs_access_enabled = false

    dynamic "cidr_blocks" {
      for_each = var.control_plane.authorized_networks

      content {
        display_name = cidr_blocks.key
        cidr_block   = cidr_blocks.value
      }
    }
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  workload_identity_config {
    workload_pool = local.workload_pool
  }

  release_channel {
    channel = var.release_channel
  }

  maintenance_policy {
    recurring_window {
      start_time = var.maintenance_window.start
      end_time   = var.maintenance_window.end
      recurrence = var.maintenance_window.recurrence
    }
  }

  addons_config {
    gce_persistent_disk_csi_driver_config {
      enabled = true
    }

    horizontal_pod_autoscaling {
      disabled = false
    }
  }

  dynamic "database_encryption" {
    for_each = var.secrets_kms_key == null ? [] : [var.secrets_kms_key]

    content {
      state    = "ENCRYPTED"
      key_name = database_encryption.value
    }
  }

  security_posture_config {
    mode               = "BASIC"
    vulnerability_mode = "VULNERABILITY_DISABLED"
  }

  cost_management_config {
    enabled = true
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS"]
  }

  monitoring_config {
    enable_components = ["SYSTEM_COMPONENTS"]

    managed_prometheus {
      enabled = true
    }
  }

  lifecycle {
    # They are of the pool that is gone.
    ignore_changes = [node_config, initial_node_count]
  }
}
