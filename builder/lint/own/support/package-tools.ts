import type { RunCommand } from "../../shell/run-commands.ts";
import { actionOf, aptAction, npmInstallOf, pipAction, type Action } from "./action.ts";

/** A package manager that keeps something of what it downloads. */
export interface PackageTool {
  /** What it keeps. */
  readonly leftover: string;
  /** The command fills its cache. */
  readonly fills: (command: RunCommand) => Action | undefined;
  readonly empties: (command: RunCommand) => boolean;
  /** A variable that turns the cache off. */
  readonly offBy?: string;
  /** Whether what is kept is inside of a mounted directory. */
  readonly keepsIn: (path: string) => boolean;
  readonly hint: string;
}

const rpm: ReadonlySet<string> = new Set(["dnf", "yum", "microdnf", "tdnf", "zypper"]);
const rpmActions: ReadonlySet<string> = new Set("install in update up upgrade groupinstall reinstall".split(" "));

export const packageTools: readonly PackageTool[] = [
  {
    leftover: "package lists",
    fills: (command) => named(aptAction(command), ["update"]),
    empties: (command) => removes(command, /\/var\/lib\/(?:apt|\{)/) || aptAction(command)?.name === "distclean",
    keepsIn: (path) => isWithin("/var/lib/apt/lists", path),
    hint: "end the RUN with rm -rf /var/lib/apt/lists/*, or give it --mount=type=cache,target=/var/lib/apt",
  },
  {
    leftover: "its index",
    fills: (command) => {
      const off = command.name !== "apk" || command.args.includes("--no-cache");
      return off ? undefined : named(actionOf(command), ["add", "update", "upgrade"]);
    },
    empties: (command) => removes(command, /\/var\/cache/),
    keepsIn: (path) => isWithin("/var/cache/apk", path) || isWithin("/etc/apk/cache", path),
    hint: "write apk add --no-cache, which needs no apk update either",
  },
  {
    leftover: "its cache",
    fills: (command) => {
      const action = rpm.has(command.name) ? actionOf(command) : undefined;
      return action !== undefined && rpmActions.has(action.name) ? action : undefined;
    },
    empties: (command) =>
      removes(command, /\/var\/cache/) || (rpm.has(command.name) && actionOf(command).name === "clean"),
    keepsIn: (path) => path.startsWith("/var/cache"),
    hint: "end the RUN with clean all of the same program, or give it --mount=type=cache,target=/var/cache",
  },
  {
    leftover: "its cache",
    fills: (command) => {
      const off = command.args.includes("--no-cache-dir") || isSet(command, "PIP_NO_CACHE_DIR");
      return off ? undefined : named(pipAction(command), ["install"]);
    },
    empties: (command) => removes(command, /\.cache/) || pipAction(command)?.name === "cache",
    offBy: "PIP_NO_CACHE_DIR",
    keepsIn: (path) => /\.cache|pip/.test(path),
    hint: "write pip install --no-cache-dir, or give the RUN --mount=type=cache,target=/root/.cache/pip",
  },
  {
    leftover: "its cache",
    fills: (command) => {
      const elsewhere = command.args.some((arg) => arg.startsWith("--cache")) || isSet(command, "npm_config_cache");
      return elsewhere ? undefined : npmInstallOf(command);
    },
    empties: (command) => removes(command, /\.npm/) || (command.name === "npm" && actionOf(command).name === "cache"),
    offBy: "npm_config_cache",
    keepsIn: (path) => /npm/.test(path),
    hint: "give the RUN --mount=type=cache,target=/root/.npm, or end it with npm cache clean --force",
  },
];

function named(action: Action | undefined, names: readonly string[]): Action | undefined {
  return action !== undefined && names.includes(action.name) ? action : undefined;
}

/** By rm or find, wherever the place stands among their arguments. */
function removes({ name, args }: RunCommand, place: RegExp): boolean {
  return ["rm", "find", "unlink", "rmdir"].includes(name) && args.some((arg) => place.test(arg));
}

function isSet({ env }: RunCommand, name: string): boolean {
  return env.some((entry) => entry.startsWith(`${name}=`));
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}
