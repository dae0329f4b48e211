import { callOf } from "./build/call/call-flag.ts";
import type { CommandSpec, FlagSpec, MissingFlag } from "../flags/command.ts";
import { groupedPruneCommands, pruneCommand } from "./prune/specs.ts";
import { shellCommand } from "./shell/spec.ts";
import { UsageError } from "../base/usage-error.ts";

/** Flags that every command has; they may also stand before the command's name. */
export const commonFlags: readonly FlagSpec[] = [
  { name: "root", kind: "string", value: "DIR", help: "the store's directory (env TSBUILD_ROOT)" },
  { name: "debug", short: "D", kind: "bool", help: "print causes and stack of an error (env TSBUILD_DEBUG=1)" },
];

const insecureFlag: FlagSpec = {
  name: "insecure-registry",
  kind: "list",
  value: "HOST",
  help: "HOST may speak plain http, or show any certificate",
};
const tlsVerifyFlag: FlagSpec = {
  name: "tls-verify",
  kind: "bool",
  help: "=false: every registry is as with --insecure-registry",
};
const authfileFlag: FlagSpec = {
  name: "authfile",
  kind: "string",
  value: "FILE",
  help: "credentials, looked for first (env REGISTRY_AUTH_FILE)",
};

const registryFlags: readonly FlagSpec[] = [
  {
    name: "registry-mirror",
    kind: "list",
    value: "HOST=URL",
    help: "ask URL first for images of HOST (env TSBUILD_REGISTRY_MIRROR)",
  },
  insecureFlag,
  tlsVerifyFlag,
  authfileFlag,
];

/** The modes of progress. "none" and "quiet" are the same. */
const progressModes: readonly string[] = ["auto", "tty", "plain", "rawjson", "quiet", "none"];

const progressFlag: FlagSpec = {
  name: "progress",
  kind: "string",
  value: "MODE",
  choices: progressModes,
  help: "auto, tty, plain, rawjson or quiet (env BUILDKIT_PROGRESS)",
};

const platformFlag: FlagSpec = {
  name: "platform",
  kind: "string",
  value: "OS/ARCH",
  help: "platform of the image, such as linux/arm64",
};

const networks: readonly string[] = ["default", "own", "none", "host"];
const pullPolicies: readonly string[] = ["always", "missing", "never", "newer", "true", "false"];

const formatFlag: FlagSpec = {
  name: "format",
  kind: "string",
  value: "FORMAT",
  help: "table, json or a Go template: '{{.ID}}'",
};
const quietIds: FlagSpec = { name: "quiet", short: "q", kind: "bool", help: "print IDs only" };
const noTrunc: FlagSpec = { name: "no-trunc", kind: "bool", help: "do not shorten IDs and commands" };

/** What a container of `build` and one of `run` can have. */
const containerFlags: readonly FlagSpec[] = [
  { name: "add-host", kind: "list", value: "NAME:IP", help: "a line of /etc/hosts; host-gateway: the host's" },
  { name: "ulimit", kind: "list", value: "NAME=N[:N]", help: "soft and hard limit: nofile=1024:2048" },
  { name: "shm-size", kind: "string", value: "BYTES", help: "size of /dev/shm (default 64m)" },
  { name: "cgroup-parent", kind: "string", value: "PATH", help: "control group that its own are made in: /parent" },
];

/** Limits of a container of `run`; build has --resource. */
const limitFlags: readonly FlagSpec[] = [
  { name: "memory", short: "m", kind: "string", value: "BYTES", help: "limit of memory: 512m, 2g" },
  { name: "memory-swap", kind: "string", value: "BYTES", help: "limit of memory and swap; -1: none" },
  { name: "cpu-shares", short: "c", kind: "string", value: "N", help: "weight of processor time (1024 is usual)" },
  { name: "cpu-period", kind: "string", value: "USEC", help: "period of --cpu-quota (100000)" },
  { name: "cpu-quota", kind: "string", value: "USEC", help: "processor time in each period" },
  { name: "cpuset-cpus", kind: "string", value: "LIST", help: "processors that may be used: 0-2,4" },
  { name: "cpuset-mems", kind: "string", value: "LIST", help: "memory nodes that may be used: 0" },
  { name: "pids-limit", kind: "string", value: "N", help: "limit of processes; -1: none" },
];

function missing(...names: readonly string[]): readonly MissingFlag[] {
  return names.map((name) => {
    const [long = "", short] = name.split("/");
    return short === undefined ? { name: long } : { name: long, short };
  });
}

const ownCommands: readonly CommandSpec[] = [
  {
    name: "build",
    aliases: ["bud"],
    summary: "Build an image from a Dockerfile",
    operands: "PATH|URL|-",
    min: 1,
    max: 1,
    lacking: (flags) =>
      `the directory to build is missing; for this one:  tsbuild -t ${flags.string("tag") ?? "app"} .`,
    // What is only looked at needs no rights.
    plain: (flags) => callOf(flags) !== undefined,
    flags: [
      { name: "tag", short: "t", kind: "list", value: "NAME", help: "name of the image, name:tag" },
      {
        name: "file",
        short: "f",
        kind: "string",
        value: "FILE",
        help: "the Dockerfile (default PATH/Dockerfile); -: from stdin",
      },
      { name: "target", kind: "string", value: "STAGE", help: "build this stage" },
      {
        name: "build-context",
        kind: "list",
        value: "N=SOURCE",
        help: "DIR, URL, docker-image:// or oci-layout:// for image or stage N",
      },
      { name: "build-arg", kind: "list", value: "K[=V]", help: "value of an ARG; K alone takes the environment's" },
      {
        name: "secret",
        kind: "list",
        value: "SPEC",
        help: "for RUN --mount=type=secret: id=N,src=FILE or id=N,env=VAR",
      },
      {
        name: "ssh",
        kind: "list",
        value: "SPEC",
        help: "for RUN --mount=type=ssh: default or ID[=SOCKET|KEY[,KEY..]][,raw]",
      },
      { name: "label", kind: "list", value: "K=V", help: "label of the image" },
      {
        name: "output",
        short: "o",
        kind: "list",
        value: "DEST",
        help: "DIR, - or type=image|oci|docker|local|tar,dest=..",
      },
      { name: "push", kind: "bool", help: "push the image to its registry" },
      { name: "load", kind: "bool", help: "keep the image in the local store (what no -o means)" },
      { name: "no-cache", kind: "bool", help: "do every step again, with empty cache mounts" },
      {
        name: "no-cache-filter",
        kind: "list",
        value: "STAGE",
        help: "do every step of these stages again, with empty cache mounts",
      },
      {
        name: "pull",
        kind: "string",
        value: "POLICY",
        bare: "always",
        choices: pullPolicies,
        help: "base images: always, missing, never or newer",
      },
      {
        name: "squash",
        kind: "string",
        value: "WHICH",
        bare: "new",
        choices: ["new", "stage", "all", "true", "false"],
        help: "one layer: of the new ones, the stage's, or all with the base's",
      },
      { name: "check", kind: "bool", help: "check the Dockerfile, build nothing (--call=check)" },
      {
        name: "call",
        kind: "string",
        value: "NAME",
        help: "check, outline or targets; ,format=json ,ignorestatus=true",
      },
      {
        name: "check-own",
        kind: "string",
        value: "WHEN",
        bare: "true",
        choices: ["true", "false", "error"],
        help: "tsbuild's own checks: also in a build, not at all, or as errors",
      },
      { name: "shell-on-fail", kind: "bool", help: "open a shell in the state that a failed RUN left" },
      { name: "cache-ttl", kind: "string", value: "TIME", help: "do steps again whose results are older: 12h, 7d" },
      { name: "max-parallelism", kind: "string", value: "N", help: "steps at once; 0: no limit (--jobs is the same)" },
      { name: "jobs", kind: "string", value: "N", help: "as --max-parallelism" },
      platformFlag,
      {
        name: "network",
        alias: "net",
        kind: "string",
        value: "MODE",
        choices: networks,
        help: "of RUN: default, own, none or host",
      },
      {
        name: "allow",
        kind: "list",
        value: "WHAT",
        help: "RUN may ask for network.host, security.insecure, device[=NAME]",
      },
      { name: "cdi-spec-dir", kind: "list", value: "DIR", help: "in place of /etc/cdi: what RUN --device can have" },
      ...containerFlags,
      {
        name: "resource",
        kind: "list",
        value: "K=V,..",
        help: "limits of RUN: memory=1g,cpu-quota=50000,cpuset-cpus=0-1",
      },
      { name: "quiet", short: "q", kind: "bool", help: "print only the image ID" },
      progressFlag,
      { name: "iidfile", kind: "string", value: "FILE", help: "write the image ID to FILE" },
      { name: "metadata-file", kind: "string", value: "FILE", help: "write digests and names as JSON to FILE" },
      ...registryFlags,
      ...commonFlags,
    ],
    missing: [
      { name: "provenance", noop: ["false"] },
      { name: "sbom", noop: ["false"] },
      ...missing("cache-from", "cache-to", "attest", "annotation"),
      ...missing("policy", "builder"),
      ...missing(
        "memory/m",
        "memory-swap",
        "cpu-period",
        "cpu-quota",
        "cpu-shares/c",
        "cpuset-cpus",
        "cpuset-mems",
      ).map((flag) => ({ ...flag, instead: `--resource ${flag.name}=VALUE` })),
      { name: "rm", noop: ["", "true"] },
      { name: "force-rm", noop: ["", "true", "false"] },
      ...missing("isolation", "security-opt", "compress", "stream"),
      ...missing("source-policy-file", "layers", "userns", "volume/v"),
    ],
    examples: ["tsbuild -t app .", "tsbuild -f docker/Dockerfile --target test .", "tsbuild -o out --build-arg V=2 ."],
    load: () => import("./build/execute.ts"),
  },
  {
    name: "run",
    summary: "Run a command in a new container",
    operands: "IMAGE [CMD...]",
    min: 1,
    max: Infinity,
    stopAtOperand: true,
    flags: [
      { name: "interactive", short: "i", kind: "bool", help: "keep standard input open" },
      { name: "tty", short: "t", kind: "bool", help: "give the command a terminal" },
      { name: "rm", kind: "bool", help: "remove the container when it ends (always so; =false is refused)" },
      { name: "env", short: "e", kind: "list", value: "K[=V]", help: "environment; K alone takes the caller's" },
      { name: "env-file", kind: "list", value: "FILE", help: "environment, one K=V a line" },
      { name: "workdir", short: "w", kind: "string", value: "DIR", help: "working directory" },
      { name: "user", short: "u", kind: "string", value: "USER[:GROUP]", help: "user, by name or number" },
      { name: "entrypoint", kind: "string", value: "CMD", help: "in place of the image's; empty: none" },
      { name: "volume", short: "v", kind: "list", value: "SRC:DST[:ro]", help: "bind a directory or file of the host" },
      {
        name: "network",
        alias: "net",
        kind: "string",
        value: "MODE",
        choices: networks,
        help: "default, own, none or host",
      },
      { name: "cpus", kind: "string", value: "N", help: "limit of processors: 1.5" },
      ...limitFlags,
      ...containerFlags,
      { name: "tmpfs", kind: "list", value: "DIR[:OPTS]", help: "a file system in memory: /run:size=64m" },
      { name: "cap-add", kind: "list", value: "CAP", help: "give a capability: NET_ADMIN, ALL" },
      { name: "cap-drop", kind: "list", value: "CAP", help: "take a capability away: NET_RAW, ALL" },
      { name: "hostname", short: "h", kind: "string", value: "NAME", help: "host name inside" },
      { name: "init", kind: "bool", help: "an init as process 1, which forwards signals and reaps" },
      { name: "pull", kind: "string", value: "POLICY", choices: ["always", "missing", "never"], help: "when to pull" },
      platformFlag,
      { name: "quiet", short: "q", kind: "bool", help: "no progress of a pull" },
      progressFlag,
      ...registryFlags,
      ...commonFlags,
    ],
    missing: [
      ...missing("detach/d", "publish/p", "publish-all/P", "mount", "read-only"),
      ...missing("privileged", "security-opt", "device", "restart", "attach/a", "link", "label/l", "label-file"),
      ...missing("dns", "dns-search", "dns-option", "expose", "ip", "pid", "ipc", "uts", "userns"),
      ...missing("cgroupns", "gpus", "memory-reservation", "sysctl"),
      ...missing(
        "group-add",
        "stop-signal",
        "health-cmd",
        "no-healthcheck",
        "cidfile",
        "detach-keys",
        "stop-timeout",
        "runtime",
      ),
      ...missing("volumes-from", "volume-driver", "log-driver", "log-opt", "oom-score-adj", "oom-kill-disable"),
      {
        name: "name",
        instead: "no flag: a container is gone when its command ends, and nothing could find it by a name",
      },
      { name: "sig-proxy", noop: ["true"] },
    ],
    examples: [
      "tsbuild run app",
      "tsbuild run -it --rm debian:12 bash",
      "tsbuild run -v $PWD:/src -w /src node:24 npm test",
    ],
    load: () => import("./run/execute.ts"),
  },
  {
    name: "pull",
    summary: "Fetch an image from its registry",
    operands: "IMAGE",
    min: 1,
    max: 1,
    flags: [
      {
        name: "all-platforms",
        kind: "bool",
        help: "every platform and signature, to push or save it whole",
      },
      platformFlag,
      { name: "quiet", short: "q", kind: "bool", help: "print only the name" },
      progressFlag,
      ...registryFlags,
      ...commonFlags,
    ],
    missing: missing("all-tags/a", "disable-content-trust", "creds"),
    examples: ["tsbuild pull debian:12", "tsbuild pull --registry-mirror docker.io=http://127.0.0.1:5000 alpine"],
    load: () => import("./pull/execute.ts"),
  },
  {
    name: "push",
    summary: "Send an image to its registry",
    operands: "IMAGE",
    min: 1,
    max: 1,
    flags: [
      platformFlag,
      { name: "quiet", short: "q", kind: "bool", help: "print only the digest" },
      progressFlag,
      ...registryFlags,
      ...commonFlags,
    ],
    missing: missing("all-tags/a", "disable-content-trust", "creds"),
    examples: ["tsbuild push localhost:5000/app", "tsbuild push ghcr.io/team/app:1.2"],
    load: () => import("./push/execute.ts"),
  },
  {
    name: "login",
    summary: "Keep credentials of a registry",
    operands: "[REGISTRY]",
    min: 0,
    max: 1,
    flags: [
      {
        name: "username",
        short: "u",
        kind: "string",
        value: "USER",
        help: "user; <token>: the password is an identity token",
      },
      { name: "password", short: "p", kind: "string", value: "WORD", help: "password, for everybody to see in ps" },
      { name: "password-stdin", kind: "bool", help: "read the password from standard input" },
      { ...authfileFlag, help: "keep them there (default ~/.docker/config.json)" },
      insecureFlag,
      tlsVerifyFlag,
      ...commonFlags,
    ],
    missing: missing("cert-dir", "get-login", "verbose/v"),
    examples: ["tsbuild login ghcr.io", "tsbuild login -u me --password-stdin registry.example:5000 < token"],
    plain: true,
    rare: true,
    load: () => import("./login/execute.ts"),
  },
  {
    name: "logout",
    summary: "Forget credentials of a registry",
    operands: "[REGISTRY]",
    min: 0,
    max: 1,
    flags: [
      { name: "all", short: "a", kind: "bool", help: "of every registry in the file" },
      { ...authfileFlag, help: "the file that has them (default ~/.docker/config.json)" },
      ...commonFlags,
    ],
    examples: ["tsbuild logout ghcr.io", "tsbuild logout --all"],
    plain: true,
    rare: true,
    load: () => import("./logout/execute.ts"),
  },
  {
    name: "images",
    aliases: ["ls"],
    summary: "List images",
    operands: "[NAME]",
    min: 0,
    max: 1,
    flags: [
      { name: "all", short: "a", kind: "bool", help: "every image (what is listed anyway)" },
      { name: "digests", kind: "bool", help: "show digests" },
      { name: "tree", kind: "bool", help: "show the platforms of each image" },
      {
        name: "filter",
        short: "f",
        kind: "list",
        value: "K=V",
        help: "dangling, label, before, since, until or reference",
      },
      formatFlag,
      noTrunc,
      quietIds,
      ...commonFlags,
    ],
    examples: ["tsbuild images", "tsbuild images --filter reference='app*' --format '{{.Repository}} {{.Size}}'"],
    load: () => import("./images/execute.ts"),
  },
  {
    name: "tag",
    summary: "Give an image another name",
    operands: "IMAGE NAME",
    min: 2,
    max: 2,
    flags: commonFlags,
    examples: ["tsbuild tag app localhost:5000/team/app:1.2"],
    load: () => import("./tag/execute.ts"),
  },
  {
    name: "rmi",
    aliases: ["untag"],
    summary: "Remove names of images, and what nothing else needs",
    operands: "IMAGE...",
    min: 1,
    max: Infinity,
    flags: [
      { name: "force", short: "f", kind: "bool", help: "every name of an ID; no error if there is none" },
      { name: "no-prune", kind: "bool", help: "leave content to a later collection" },
      ...commonFlags,
    ],
    missing: missing("platform", "all/a"),
    examples: ["tsbuild rmi app", "tsbuild rmi -f $(tsbuild images -q)"],
    load: () => import("./rmi/execute.ts"),
  },
  pruneCommand(commonFlags),
  {
    name: "inspect",
    summary: "Show an image's config, layers and digests as JSON",
    operands: "IMAGE...",
    min: 1,
    max: Infinity,
    flags: [
      { ...formatFlag, short: "f", help: "json or a Go template: '{{.Config.Env}}'" },
      { name: "query", kind: "string", value: "PATH", help: "a part of it as JSON: Config.Env[0]" },
      { name: "type", kind: "string", value: "KIND", choices: ["image"], help: "what is inspected: image" },
      platformFlag,
      ...commonFlags,
    ],
    missing: missing("size/s"),
    examples: [
      "tsbuild inspect app",
      "tsbuild inspect -f '{{json .Config.Env}}' app",
      "tsbuild inspect --query RootFS.Layers app",
    ],
    load: () => import("./inspect/execute.ts"),
  },
  {
    name: "history",
    summary: "Show how an image was made",
    operands: "IMAGE",
    min: 1,
    max: 1,
    flags: [
      { name: "human", short: "H", kind: "bool", help: "sizes and dates for people (default true)" },
      formatFlag,
      noTrunc,
      quietIds,
      platformFlag,
      ...commonFlags,
    ],
    examples: ["tsbuild history app", "tsbuild history --no-trunc --format '{{.CreatedBy}}' app"],
    load: () => import("./history/execute.ts"),
  },
  {
    name: "why",
    summary: "Explain why steps of the last build ran",
    operands: "[IMAGE|DIR|BUILD]",
    min: 0,
    max: 1,
    flags: [{ ...formatFlag, help: "json or a Go template: '{{range .Steps}}{{.Name}}{{end}}'" }, ...commonFlags],
    examples: ["tsbuild why", "tsbuild why app", "tsbuild why --format json ./service"],
    load: () => import("./why/execute.ts"),
  },
  {
    name: "logs",
    summary: "Print all that steps of the last build printed",
    operands: "[IMAGE|DIR|BUILD [STEP]]",
    min: 0,
    max: 2,
    flags: [{ name: "path", kind: "bool", help: "print where the logs are" }, ...commonFlags],
    missing: missing("follow/f", "tail/n", "timestamps/t", "since", "until", "details"),
    examples: ["tsbuild logs", "tsbuild logs app 12", "tsbuild logs . failed"],
    load: () => import("./logs/execute.ts"),
  },
  {
    name: "save",
    summary: "Write images to a tar archive",
    operands: "IMAGE...",
    min: 1,
    max: Infinity,
    flags: [
      { name: "output", short: "o", kind: "string", value: "FILE", help: "write to FILE in place of standard output" },
      { name: "format", kind: "string", value: "KIND", choices: ["docker", "oci"], help: "docker (default) or oci" },
      platformFlag,
      ...commonFlags,
    ],
    missing: missing("quiet/q", "compress"),
    examples: ["tsbuild save -o app.tar app", "tsbuild save app | docker load"],
    load: () => import("./save/execute.ts"),
  },
  {
    name: "load",
    summary: "Read images from a docker or OCI archive",
    operands: "",
    min: 0,
    max: 0,
    flags: [
      { name: "input", short: "i", kind: "string", value: "FILE", help: "read FILE in place of standard input" },
      { name: "quiet", short: "q", kind: "bool", help: "print names only" },
      ...commonFlags,
    ],
    missing: missing("platform"),
    examples: ["tsbuild load -i app.tar", "docker save app | tsbuild load"],
    load: () => import("./load/execute.ts"),
  },
  {
    name: "import",
    summary: "Make an image of a root file system in an archive",
    operands: "FILE|URL|- [NAME]",
    min: 1,
    max: 2,
    flags: [
      {
        name: "change",
        short: "c",
        kind: "list",
        value: "INSTR",
        help: "an instruction of config: 'CMD [\"/bin/sh\"]'",
      },
      platformFlag,
      { name: "quiet", short: "q", kind: "bool", help: "no progress" },
      progressFlag,
      ...commonFlags,
    ],
    missing: missing("message/m"),
    examples: ["tsbuild import rootfs.tar.gz app", "tar -C root -c . | tsbuild import -c 'CMD [\"bash\"]' - debian"],
    rare: true,
    load: () => import("./import/execute.ts"),
  },
  {
    name: "export",
    summary: "Write the files of an image as a tar archive",
    operands: "IMAGE",
    min: 1,
    max: 1,
    flags: [
      { name: "output", short: "o", kind: "string", value: "FILE", help: "write to FILE in place of standard output" },
      platformFlag,
      { name: "quiet", short: "q", kind: "bool", help: "no progress" },
      progressFlag,
      ...commonFlags,
    ],
    examples: ["tsbuild export -o app.tar app", "tsbuild export app | tar -tv"],
    rare: true,
    load: () => import("./export/execute.ts"),
  },
  {
    name: "config",
    summary: "Show the settings that count, and where each is from",
    operands: "[NAME]",
    min: 0,
    max: 1,
    flags: [
      { name: "show-origin", kind: "bool", help: "show the flag, variable or file that each is from" },
      { ...formatFlag, help: "table, json or a Go template: '{{.Name}}={{.Value}}'" },
      ...commonFlags,
    ],
    examples: ["tsbuild config --show-origin", "tsbuild config root", "tsbuild config --format json"],
    plain: true,
    rare: true,
    load: () => import("./config/execute.ts"),
  },
  {
    name: "completion",
    summary: "Print the completion of a shell",
    operands: "SHELL",
    min: 1,
    max: 1,
    flags: commonFlags,
    examples: [
      "source <(tsbuild completion bash)",
      "tsbuild completion fish > ~/.config/fish/completions/tsbuild.fish",
    ],
    plain: true,
    rare: true,
    load: () => import("./completion/execute.ts"),
  },
  {
    name: "man",
    summary: "Print a page of the manual",
    operands: "[COMMAND]",
    min: 0,
    max: 2,
    flags: commonFlags,
    examples: ["tsbuild man | man -l -", "tsbuild man build | man -l -"],
    plain: true,
    rare: true,
    load: () => import("./man/execute.ts"),
  },
  {
    name: "unshare",
    summary: "Run a program as root of a plain user's own namespace",
    operands: "[COMMAND [ARG...]]",
    min: 0,
    max: Infinity,
    stopAtOperand: true,
    flags: commonFlags,
    examples: ["tsbuild unshare ls -ln ~/.local/share/tsbuild", "tsbuild unshare node build.ts"],
    rare: true,
    storeless: true,
    load: () => import("./unshare/execute.ts"),
  },
  {
    name: "version",
    summary: "Show versions",
    operands: "",
    min: 0,
    max: 0,
    flags: [{ ...formatFlag, short: "f", help: "json or a Go template: '{{.Version}}'" }, ...commonFlags],
    examples: ["tsbuild version", "tsbuild version --format '{{.Version}}'"],
    plain: true,
    rare: true,
    load: () => import("./version/execute.ts"),
  },
];

/** Every command of tsbuild: the one source of parsing, help and docs/cli.md. */
export const commands: readonly CommandSpec[] = ownCommands.flatMap((command) =>
  command.name === "build" ? [command, shellCommand(command)] : [command],
);

/** Commands that mean in a group of docker's what they mean nowhere else; their names are two words. */
export const groupedCommands: readonly CommandSpec[] = groupedPruneCommands(commonFlags);

/** docker's groups: `docker image ls` is `docker images`, `docker buildx build` is `docker build`. */
export const groups: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
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
export const missingMembers: ReadonlyMap<string, string> = new Map([
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
export const missingCommands: readonly string[] = [
  ..."attach bake buildx commit compose container cp create debug diff doctor events exec image".split(" "),
  ..."info kill manifest network pause port prune ps rename restart rm search serve start".split(" "),
  ..."stats stop system top unpause update volume wait".split(" "),
];

/** The command of that name or alias. */
export function findCommand(name: string): CommandSpec | undefined {
  return commands.find((command) => command.name === name || command.aliases?.includes(name) === true);
}

/** The command of that name. @throws E_USAGE */
export function commandNamed(name: string): CommandSpec {
  const command = findCommand(name) ?? groupedCommands.find((one) => one.name === name);
  if (command === undefined) throw new UsageError(`Unknown command ${name}`, { hint: "tsbuild --help" });
  return command;
}
