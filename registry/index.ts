export { RegistryClient, type FetchedManifest } from "./client.ts";
export type { RegistryOptions } from "./options.ts";
export { pullBlob, pullLayers, resolveImage, type PullProgress, type ResolvedManifest } from "./pull.ts";
export { mountSources, pushImage, type PushRequest } from "./push.ts";
export { RegistryError } from "./transport/errors.ts";
