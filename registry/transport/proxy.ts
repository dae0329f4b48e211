import { configError } from "../hosts/config-error.ts";

/**
 * The URL of a proxy as a variable of the environment has it; as everywhere `host:port` means http. undefined: none.
 * @throws E_REGISTRY_CONFIG
 */
export function proxyUrl(env: Readonly<Record<string, string>>, name: string): string | undefined {
  const text = env[name.toLowerCase()] ?? env[name] ?? "";
  if (text === "") return undefined;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const { protocol } = URL.parse(url) ?? {};
  if (protocol === "http:" || protocol === "https:") return url;
  // The value may hold a password.
  throw configError(name, protocol === undefined ? "it is no URL" : `a proxy of ${protocol}// is not supported`, {
    hint: `${name}=http://host:port`,
  });
}
