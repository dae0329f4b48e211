import {
  closeSync,
  constants,
  copyFileSync,
  createWriteStream,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { checkOptions, type OptionTable } from "../../native/arguments.ts";
import { errorMessage, TsbuildError } from "../../native/errors.ts";
import { Build } from "./build.ts";
import type { BuildResult, ProgressSink } from "../graph/events.ts";
import { archiveKind } from "../inputs/files/archive.ts";
import type { EngineOptions } from "../options/options.ts";
import { engine } from "../options/option-tables.ts";
import { requireRoot } from "./require-root.ts";
import { openStore } from "../../store/open.ts";

/** A root file system as one archive, plain or compressed: a file, a URL or a stream. */
export type RootArchive =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "stream"; readonly stream: AsyncIterable<Uint8Array> };

/** What `tsbuild import` does. */
export interface ImportOptions extends EngineOptions {
  readonly archive: RootArchive;
  readonly tags?: readonly string[];
  /** Instructions that change the config: `CMD ["/bin/sh"]`. */
  readonly changes?: readonly string[];
  readonly platform?: string;
  readonly onEvent?: ProgressSink;
}

const table: OptionTable<ImportOptions> = {
  archive: "record!",
  ...engine,
  tags: "strings",
  changes: "strings",
  platform: "string",
  onEvent: "call",
};

/** Instructions of docker's --change. */
const changing = "CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR".split(" ");

/**
 * Makes an image of one layer, the archive's files, as `FROM scratch` with ADD would.
 * @throws E_IMPORT, DockerfileError for a change that cannot be read
 */
export async function importImage(options: ImportOptions): Promise<BuildResult> {
  checkOptions("importImage", options, table);
  const { archive, changes = [], ...rest } = options;
  const config = changes.map(checkedChange);
  requireRoot("import");
  // In the store: an import that is killed leaves nothing that is not swept, and the file may be linked.
  await using store = await openStore({ root: options.root });
  const directory = join(store.scratch, "import");
  mkdirSync(directory);
  try {
    const source = await place(archive, directory);
    if (archive.kind !== "url") await checkArchive(join(directory, source), archive);
    const lines = ["FROM scratch", `ADD --unpack=true ${JSON.stringify([source, "/"])}`, ...config];
    writeFileSync(join(directory, "Dockerfile"), `${lines.join("\n")}\n`);
    await using build = new Build({ ...rest, context: directory });
    return await build.result;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The archive as a source of ADD: a link of the file where that can be, else a copy. */
async function place(archive: RootArchive, directory: string): Promise<string> {
  const name = "rootfs.tar";
  const file = join(directory, name);
  switch (archive.kind) {
    case "url":
      return archive.url;
    case "stream":
      await pipeline(Readable.from(archive.stream), createWriteStream(file));
      return name;
    case "file":
      linkOrCopy(archive.path, file);
      return name;
  }
}

/** A file that is no archive would be put into the image as it is. @throws E_IMPORT */
async function checkArchive(file: string, archive: RootArchive): Promise<void> {
  const fd = openSync(file, "r");
  try {
    if ((await archiveKind(fd)) !== undefined) return;
  } finally {
    closeSync(fd);
  }
  const name = archive.kind === "file" ? archive.path : "standard input";
  throw new TsbuildError(`Cannot import ${name}: it is no tar archive`, {
    code: "E_IMPORT",
    hint: "tar -C ROOTFS -c . | tsbuild import - NAME   (an image: tsbuild load)",
  });
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(realpathSync(from), to);
  } catch {
    try {
      copyFileSync(from, to, constants.COPYFILE_FICLONE);
    } catch (cause) {
      throw new TsbuildError(`Cannot import ${from}: ${errorMessage(cause).replace(/,.*$/s, "")}`, {
        code: "E_IMPORT",
        cause,
        hint: "check the path",
      });
    }
  }
}

/** One instruction of config in one line: a change cannot run or copy anything. */
function checkedChange(change: string): string {
  const [word = ""] = change.trim().split(/\s/);
  if (changing.includes(word.toUpperCase()) && !/[\r\n]/.test(change)) return change;
  throw new TsbuildError(`Cannot use the change ${JSON.stringify(change)}: it is none of config in one line`, {
    code: "E_IMPORT",
    hint: `--change takes ${changing.join(", ")}`,
  });
}
