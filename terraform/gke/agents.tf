# The agents' namespace and its walls; the same as deploy/kubernetes/base/agents.yaml.
resource "kubernetes_namespace_v1" "agents" {
  metadata {
    name = var.agents_namespace
    labels = {
      "app.kubernetes.io/part-of"          = "kohakku"
      "pod-security.kubernetes.io/enforce" = "baseline"
      "pod-security.kubernetes.io/audit"   = "restricted"
      "pod-security.kubernetes.io/warn"    = "restricted"
    }
  }

  depends_on = [google_container_node_pool.system]
}

resource "kubernetes_service_account_v1" "agent" {
  metadata {
    name      = "agent"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = { "app.kubernetes.io/part-of" = "kohakku" }
  }

  automount_service_account_token = false
}

resource "kubernetes_default_service_account_v1" "agents" {
  metadata {
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
  }

  automount_service_account_token = false
}

# What the dispatcher may do here, and nowhere else; why stands in deploy/kubernetes/base/runtime/agents.yaml.
resource "kubernetes_role_v1" "dispatcher" {
  metadata {
    name      = "dispatcher"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = local.dispatcher_labels
  }

  rule {
    api_groups = ["batch"]
    resources  = ["jobs"]
    verbs      = ["create", "delete", "get", "list"]
  }

  rule {
    api_groups = [""]
    resources  = ["secrets"]
    verbs      = ["create"]
  }

  rule {
    api_groups = [""]
    resources  = ["pods"]
    verbs      = ["delete", "list", "watch"]
  }

  rule {
    api_groups = [""]
    resources  = ["pods/log"]
    verbs      = ["get"]
  }

  rule {
    api_groups = ["networking.k8s.io"]
    resources  = ["networkpolicies"]
    verbs      = ["list"]
  }
}

resource "kubernetes_role_binding_v1" "dispatcher" {
  metadata {
    name      = "dispatcher"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = local.dispatcher_labels
  }

  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = kubernetes_role_v1.dispatcher.metadata[0].name
  }

  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account_v1.dispatcher.metadata[0].name
    namespace = var.namespace
  }
}

resource "kubernetes_resource_quota_v1" "agents" {
  metadata {
    name      = "agents"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = { "app.kubernetes.io/part-of" = "kohakku" }
  }

  spec {
    hard = {
      "pods"                   = tostring(var.agents_quota.pods)
      "count/jobs.batch"       = tostring(var.agents_quota.pods * 2)
      "requests.cpu"           = var.agents_quota.cpu
      "requests.memory"        = var.agents_quota.memory
      "services"               = "0"
      "persistentvolumeclaims" = "0"
    }
  }
}

resource "kubernetes_limit_range_v1" "agents" {
  metadata {
    name      = "agents"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = { "app.kubernetes.io/part-of" = "kohakku" }
  }

  spec {
    limit {
      type            = "Container"
      default_request = { cpu = "250m", memory = "512Mi", "ephemeral-storage" = "1Gi" }
      default         = { cpu = "1", memory = "2Gi", "ephemeral-storage" = "12Gi" }
      max             = { cpu = "16", memory = "64Gi", "ephemeral-storage" = "100Gi" }
    }
  }
}

resource "kubernetes_network_policy_v1" "agents_default_deny" {
  metadata {
    name      = "default-deny"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = { "app.kubernetes.io/part-of" = "kohakku" }
  }

  spec {
    pod_selector {}
    policy_types = ["Ingress", "Egress"]
  }
}

# Names, and the dispatchers.
resource "kubernetes_network_policy_v1" "agents_dispatcher" {
  metadata {
    name      = "dispatcher"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = { "app.kubernetes.io/part-of" = "kohakku" }
  }

  spec {
    pod_selector {}
    policy_types = ["Egress"]

    egress {
      to {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = "kube-system" }
        }
        pod_selector {
          match_labels = { "k8s-app" = "kube-dns" }
        }
      }
      ports {
        protocol = "UDP"
        port     = "53"
      }
      ports {
        protocol = "TCP"
        port     = "53"
      }
    }

    egress {
      to {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = var.namespace }
        }
        pod_selector {
          match_labels = local.dispatcher_labels
        }
      }
      ports {
        protocol = "TCP"
        port     = "8080"
      }
    }
  }
}

# Agents whose network mode is `internet`, and no others.
resource "kubernetes_network_policy_v1" "agents_internet" {
  metadata {
    name      = "internet"
    namespace = kubernetes_namespace_v1.agents.metadata[0].name
    labels    = { "app.kubernetes.io/part-of" = "kohakku" }
  }

  spec {
    pod_selector {
      match_labels = { "kohakku.io/network" = "internet" }
    }
    policy_types = ["Egress"]

    egress {
      to {
        ip_block {
          cidr   = "0.0.0.0/0"
          except = local.private_networks
        }
      }
    }
  }
}
