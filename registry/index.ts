export { RegistryClient, type FetchedManifest } from "./client.ts";
export type { Credentials } from "./credentials/credentials.ts";
export { findCredentials, type FoundCredentials } from "./credentials/find.ts";
export { forgetCredentials, keepCredentials, keptRegistries, type Kept, type KeepOptions } from "./credentials/keep.ts";
export { checkLogin, type LoginRequest } from "./login.ts";
export type { CredentialSource, RegistryFiles, RegistryOptions, RegistryWarning } from "./options.ts";
export { pullBlob, pullLayers, resolveImage, type PullProgress, type ResolvedManifest } from "./pull.ts";
export { mountSources, pushImage, type PushRequest } from "./push.ts";
export { RegistryError } from "./transport/errors.ts";
