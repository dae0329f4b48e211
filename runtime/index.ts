export * from "./container/process.ts";
export { availableCapabilities, defaultCapabilities } from "./security/capabilities.ts";
export { parseCgroupParent } from "./cgroup/parent.ts";
export { hostGateway, hostsFile, type HostEntry } from "./network/hosts.ts";
export { onGroupMade } from "./cgroup/process-group.ts";
export { startContainer } from "./container/start.ts";
export { StartError } from "../native/process.ts";
