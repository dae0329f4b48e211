import type { ImageConfig } from "../../store/oci/config.ts";
import { normalizePlatform, type Platform } from "../../store/oci/platform.ts";
import type { StageState } from "./stage-state.ts";

/** The fields of a config that say what an image runs on. */
type PlatformFields = Pick<ImageConfig, "architecture" | "os" | "variant" | "os.version" | "os.features">;

/**
 * What the image of a stage says of its platform: `asked`, what --platform asks for, whatever the stage is of; else
 * what the base image says, and over nothing the stage's.
 */
export function imagePlatform({ base, platform }: StageState, asked: Platform | undefined): PlatformFields {
  const own: Platform = base ?? platform;
  const { architecture, os, variant, "os.version": version, "os.features": features } = asked ?? own;
  const same = os === own.os && architecture === own.architecture;
  const kept: Partial<Platform> = same ? own : {};
  return normalizePlatform({
    architecture,
    os,
    ...defined("variant", variant || kept.variant),
    ...defined("os.version", version || kept["os.version"]),
    ...defined("os.features", features ?? own["os.features"]),
  });
}

function defined<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined || value === "" ? {} : ({ [key]: value } as { readonly [key in K]?: V });
}
