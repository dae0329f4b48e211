import { checkOptions, type OptionTable } from "../../native/arguments.ts";
import { requireStored } from "../../store/image/missing.ts";
import { parsePlatform } from "../../store/oci/platform.ts";
import { openStore } from "../../store/open.ts";
import { exportTar } from "../output/files.ts";
import { engine } from "../options/option-tables.ts";
import { prepareImage, type PrepareOptions } from "./prepare-image.ts";
import { requireRoot } from "./require-root.ts";

/** Where the files of an image of the store go. */
export interface ExportImageOptions extends Omit<PrepareOptions, "pull"> {
  readonly to: { readonly file: string } | { readonly stream: NodeJS.WritableStream };
}

const table: OptionTable<ExportImageOptions> = {
  image: "text!",
  to: "record!",
  ...engine,
  platform: "string",
  onEvent: "call",
};

/** Writes the file system of an image as one tar. @throws E_IMAGE_NOT_FOUND, RegistryError, E_OUTPUT_FILE */
export async function exportImage(options: ExportImageOptions): Promise<void> {
  checkOptions("exportImage", options, table);
  requireRoot("export");
  const signal = options.signal ?? new AbortController().signal;
  await using store = await openStore({ root: options.root });
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  await requireStored(store, options.image, platform);
  const { snapshot } = await prepareImage(store, { ...options, pull: "never" }, signal);
  await exportTar(snapshot, options.to, { signal });
}
