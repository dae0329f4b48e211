export type Entitlement = "network.host" | "security.insecure" | "device" | `device=${string}`;
