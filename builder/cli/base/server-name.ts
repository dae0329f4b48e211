import { parseReference } from "../../../store/oci/reference.ts";
import { UsageError } from "./usage-error.ts";

/** `https://HOST[:PORT]/` or `HOST[:PORT][/NAMESPACE]` as the key of credentials; docker.io when nothing is said. @throws E_USAGE */
export function serverKey(text: string | undefined): string {
  if (text === undefined || text === "") return "docker.io";
  const name = text
    .replace(/^https?:\/\//, "")
    .replace(/\/+$/, "")
    .replace(/\/v[12]$/, "");
  const [host = "", ...namespace] = name.split("/");
  if (["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"].includes(host))
    return "docker.io";
  try {
    // A host without a dot or port looks like a repository to the grammar of names.
    const { path } = parseReference(
      `${/[.:]/.test(host) || host === "localhost" ? host : `${host}:443`}/${[...namespace, "x"].join("/")}`,
    );
    return [host, ...path.split("/").slice(0, -1)].join("/");
  } catch (cause) {
    throw new UsageError(`Cannot log in to ${JSON.stringify(text)}: it is no registry`, {
      cause,
      hint: "tsbuild login registry.example:5000",
    });
  }
}

/** The host of a key. */
export function hostOfKey(key: string): string {
  return key.replace(/\/.*$/, "");
}
