import { CommandTable } from "../flags/command-table.ts";
import { commonFlags } from "../flags/shared-flags.ts";
import { buildCommand } from "./build/spec.ts";
import { runCommand } from "./run/spec.ts";
import { pullCommand } from "./pull/spec.ts";
import { pushCommand } from "./push/spec.ts";
import { loginCommand } from "./login/spec.ts";
import { logoutCommand } from "./logout/spec.ts";
import { imagesCommand } from "./images/spec.ts";
import { tagCommand } from "./tag/spec.ts";
import { rmiCommand } from "./rmi/spec.ts";
import { inspectCommand } from "./inspect/spec.ts";
import { historyCommand } from "./history/spec.ts";
import { whyCommand } from "./why/spec.ts";
import { logsCommand } from "./logs/spec.ts";
import { saveCommand } from "./save/spec.ts";
import { loadCommand } from "./load/spec.ts";
import { importCommand } from "./import/spec.ts";
import { exportCommand } from "./export/spec.ts";
import { configCommand } from "./config/spec.ts";
import { completionCommand } from "./completion/spec.ts";
import { manCommand } from "./man/spec.ts";
import { unshareCommand } from "./unshare/spec.ts";
import { versionCommand } from "./version/spec.ts";
import { groupedPruneCommands, pruneCommand } from "./prune/specs.ts";
import { shellCommand } from "./shell/spec.ts";

/** docker's groups: `docker image ls` is `docker images`, `docker buildx build` is `docker build`. */
const groups: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  [
    "image",
    same("build history import inspect load pull push save tag", {
      prune: "image prune",
      ls: "images",
      list: "images",
      rm: "rmi",
      remove: "rmi",
    }),
  ],
  ["container", same("run")],
  ["buildx", same("build", { prune: "builder prune", b: "build" })],
  ["builder", same("build", { prune: "builder prune" })],
  ["system", same("", { prune: "system prune" })],
]);

function same(names: string, others: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  const own = names.split(" ").filter((name) => name !== "");
  return new Map([...own.map((name): [string, string] => [name, name]), ...Object.entries(others)]);
}

const noBuilder = "no builder is needed: tsbuild -t app . builds without a daemon";
const diskUse =
  'tsbuild images has the size of each image, du -sh "$(tsbuild config root)" that of all; tsbuild prune frees it';

/** Members of docker's groups that tsbuild has not, and what helps in their place. */
const missingMembers: ReadonlyMap<string, string> = new Map([
  ["buildx bake", "build one target after another: tsbuild -f FILE --target STAGE -t NAME DIR"],
  ["buildx imagetools", "tsbuild inspect IMAGE shows an image that was pulled, tsbuild push sends one"],
  ["buildx history", "tsbuild why and tsbuild logs tell of the last build"],
  ["buildx du", diskUse],
  ["builder du", diskUse],
  ["system df", diskUse],
  ["system info", "tsbuild version and tsbuild config"],
  ...["create", "use", "rm", "ls", "inspect", "stop", "dial-stdio"].map(
    (name) => [`buildx ${name}`, noBuilder] as const,
  ),
]);

/** Commands of docker that tsbuild may have one day: refused by name. */
const missingCommands: readonly string[] = [
  ..."attach bake buildx commit compose container cp create debug diff doctor events exec image".split(" "),
  ..."info kill manifest network pause port prune ps rename restart rm search serve start".split(" "),
  ..."stats stop system top unpause update volume wait".split(" "),
];

/** Every command of tsbuild: the one source of parsing, help, completion, the manual and docs/cli.md. */
export const table: CommandTable = new CommandTable({
  commands: [
    buildCommand,
    shellCommand(buildCommand),
    runCommand,
    pullCommand,
    pushCommand,
    loginCommand,
    logoutCommand,
    imagesCommand,
    tagCommand,
    rmiCommand,
    pruneCommand(commonFlags),
    inspectCommand,
    historyCommand,
    whyCommand,
    logsCommand,
    saveCommand,
    loadCommand,
    importCommand,
    exportCommand,
    configCommand,
    completionCommand,
    manCommand,
    unshareCommand,
    versionCommand,
  ],
  groupedCommands: groupedPruneCommands(commonFlags),
  groups,
  missingMembers,
  missingCommands,
});
