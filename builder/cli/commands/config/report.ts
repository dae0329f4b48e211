import { defaultCdiDirectories } from "../../../inputs/cdi/registry.ts";
import { redactUrls } from "../../../base/redact-url.ts";
import { defaultPatience } from "../../../../registry/http/retry.ts";
import { formatPlatform, hostPlatform } from "../../../../store/oci/platform.ts";
import { settingVariables, type Config, type Layer } from "../../config/config.ts";
import type { ParsedFlags } from "../../flags/parsed-flags.ts";

/** A setting as it counts, and what made it so: a flag, a variable, a file, or nothing but the default. */
export interface EffectiveSetting {
  readonly Name: string;
  readonly Value: string;
  readonly Origin: string;
}

/** Every setting. `exists` tells which files of credentials are there; nothing of what they say is shown. */
export function effectiveSettings(
  config: Config,
  flags: ParsedFlags,
  exists: (path: string) => boolean,
): readonly EffectiveSetting[] {
  const report = new Report(config);
  const root = flags.string("root");
  return [
    root === undefined
      ? report.setting("root", config.root, settingVariables.root)
      : { Name: "root", Value: root, Origin: "flag --root" },
    report.setting("progress", config.progress ?? "auto", settingVariables.progress),
    report.setting("platform", config.platform ?? formatPlatform(hostPlatform()), settingVariables.platform),
    report.setting("pull", config.pull ?? "missing"),
    report.setting("network", config.network ?? "default", settingVariables.network),
    report.setting("userns", config.userns, settingVariables.userns),
    report.setting("checkOwn", String(config.ownChecks ?? "few"), [], "ownChecks"),
    ...report.mirrors(),
    ...report.insecure(),
    report.setting(
      "registryTimeout",
      `${(config.registryTimeout ?? defaultPatience) / 1000}s`,
      settingVariables.registryTimeout,
    ),
    report.setting("cdiSpecDirs", (config.cdiDirectories ?? defaultCdiDirectories).join(" "), [], "cdiDirectories"),
    report.variable("debug", String(config.debug), ["TSBUILD_DEBUG"]),
    report.variable("color", String(config.color), ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"]),
    report.variable("logLines", String(config.logLines), ["BUILDKIT_TTY_LOG_LINES"]),
    report.variable("loginFile", config.loginFile, ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG"]),
    ...report.credentials(exists),
    ...report.host(),
  ];
}

class Report {
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  /** One that files may have too. `key`: its name in Settings. */
  setting(
    name: string,
    value: string,
    variables: readonly string[] = [],
    key: keyof Layer["settings"] = name as keyof Layer["settings"],
  ): EffectiveSetting {
    const file = this.#lastWith(({ settings }) => settings[key] !== undefined);
    return { Name: name, Value: value, Origin: this.#variable(variables) ?? file ?? "default" };
  }

  variable(name: string, value: string, variables: readonly string[]): EffectiveSetting {
    return { Name: name, Value: value, Origin: this.#variable(variables) ?? "default" };
  }

  mirrors(): readonly EffectiveSetting[] {
    return Object.entries(this.#config.mirrors).map(([host, urls]) => {
      const file = this.#lastWith(({ settings }) => settings.mirrors[host] === urls);
      const origin = file ?? "environment TSBUILD_REGISTRY_MIRROR";
      return { Name: `registryMirrors.${host}`, Value: redactUrls(urls.join(" ")), Origin: origin };
    });
  }

  insecure(): readonly EffectiveSetting[] {
    return this.#config.insecure.map((host) => ({
      Name: "insecureRegistries",
      Value: host,
      Origin: this.#lastWith(({ settings }) => settings.insecure.includes(host)) ?? "default",
    }));
  }

  credentials(exists: (path: string) => boolean): readonly EffectiveSetting[] {
    const named = this.#config.env["REGISTRY_AUTH_FILE"];
    return this.#config.credentials.flatMap((source) => {
      if (source.kind === "json")
        return [{ Name: "credentials", Value: "(JSON)", Origin: `environment ${source.name}` }];
      if (!exists(source.path)) return [];
      const origin = source.path === named ? "environment REGISTRY_AUTH_FILE" : "default";
      return [{ Name: "credentials", Value: source.path, Origin: origin }];
    });
  }

  /** Proxies and CA bundles that RUN gets; one that no variable has is of docker's config.json. */
  host(): readonly EffectiveSetting[] {
    return Object.entries(this.#config.hostEnv).map(([name, value]) => ({
      Name: name,
      Value: redactUrls(value),
      Origin: this.#variable([name]) ?? "docker's config.json",
    }));
  }

  #variable(names: readonly string[]): string | undefined {
    const name = names.find((one) => (this.#config.env[one] ?? "") !== "");
    return name === undefined ? undefined : `environment ${name}`;
  }

  #lastWith(has: (layer: Layer) => boolean): string | undefined {
    return this.#config.layers.findLast(has)?.path;
  }
}
