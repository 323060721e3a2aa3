//! Names that several programs have to agree on: labels, annotations, field managers, and the tenant names that
//! cannot be had because kvnode answers under them without a tenant.

/// The API group of KVTenant.
pub const GROUP: &str = "kvtenant.io";

/// `metadata.name` and `tenant` may be this long, so that every child's name and every label value still fits into
/// the 63 characters of a DNS label with the longest suffix and a pod's ordinal behind it.
pub const NAME_CHARS_MAX: usize = 40;

/// First path segments that kvnode serves for everybody. A tenant of such a name would hide them, or be hidden.
pub const BARE_PATHS: [&str; 11] =
    ["kv", "health", "livez", "readyz", "peers", "metrics", "docs", "redoc", "diag", "admin", "internal"];

/// Label on every child: the tenant's URL prefix. People find all parts of a tenant by it.
pub const LABEL_TENANT: &str = "kvtenant.io/tenant";
/// Label on every child: the program inside (`kvnode`).
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// Label on every child: `metadata.name` of its KVTenant. The operator finds its way back by it.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";
/// Label on every child: the part of the tenant (`node`).
pub const LABEL_COMPONENT: &str = "app.kubernetes.io/component";
/// Label on every child: who keeps it. The operator's watches ask for this label only.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Label on every child: the product.
pub const LABEL_PART_OF: &str = "app.kubernetes.io/part-of";

/// Annotation on a KVTenant: follow the operator's own kvnode image instead of the one pinned at creation.
pub const ANNOTATION_UPGRADE: &str = "kvtenant.io/upgrade";
/// Annotation on the StatefulSet: the operator's image at creation. It outlives a lost status, so that restoring a
/// KVTenant from a backup does not roll its pods.
pub const ANNOTATION_PINNED_IMAGE: &str = "kvtenant.io/pinned-image";

/// Who keeps the children: value of [`LABEL_MANAGED_BY`] and the field manager of every child.
pub const OPERATOR: &str = "kvtenant-operator";
/// Field manager of the status, apart from [`OPERATOR`] so that neither write can drop the other's fields.
pub const STATUS_MANAGER: &str = "kvtenant-operator-status";
