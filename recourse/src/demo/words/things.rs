//! What the desk itself gives names to.

/// Systems that the desk looks after.
pub(crate) const SYSTEMS: [&str; 8] = [
    "ERP",
    "CRM",
    "Portal",
    "Mail",
    "Billing",
    "Warehouse",
    "HR",
    "Data Lake",
];

/// Where they run.
pub(crate) const ENVIRONMENTS: [&str; 3] = ["production", "staging", "test"];

/// Services of which systems are made.
pub(crate) const SERVICES: [&str; 20] = [
    "authentication",
    "reports",
    "search",
    "notifications",
    "payments",
    "document storage",
    "print",
    "integration bus",
    "directory",
    "scheduler",
    "e-signature",
    "exports",
    "catalogue",
    "orders",
    "invoices",
    "chat",
    "backup",
    "VPN",
    "telephony",
    "geocoding",
];

/// Versions of the platform, the newest first.
pub(crate) const VERSIONS: [&str; 12] = [
    "7.4.2", "7.4.1", "7.4.0", "7.3.9", "7.3.5", "7.3.0", "7.2.8", "7.2.1", "7.1.4", "6.9.12", "6.9.3", "6.5.0",
];

/// In the order of `figures::CATEGORIES`.
pub(crate) const CATEGORIES: [&str; 27] = [
    "Access and passwords",
    "Applications",
    "Mail and calendar",
    "Reports",
    "Network",
    "Printing",
    "Documents",
    "Workplace",
    "Integration",
    "Performance",
    "Data quality",
    "Mobile",
    "Telephony",
    "Payments",
    "Electronic signature",
    "Storage",
    "Security",
    "Licences",
    "Video meetings",
    "Backup and restore",
    "Onboarding",
    "Monitoring",
    "Browser",
    "Localisation",
    "Accessibility",
    "Archive",
    "Decommissioning",
];

/// In the order of `figures::GROUPS`, twice: the second half are the same teams elsewhere.
pub(crate) const GROUPS: [&str; 25] = [
    "First line",
    "Applications",
    "Identity and access",
    "Workplace",
    "Messaging",
    "Network",
    "Reporting",
    "ERP",
    "CRM",
    "Integration",
    "Databases",
    "Printing",
    "Telephony",
    "Mobile devices",
    "Document management",
    "Payments",
    "Linux servers",
    "Windows servers",
    "Storage and backup",
    "Security",
    "Portal",
    "Data lake",
    "Release management",
    "Licences",
    "Data centre",
];
