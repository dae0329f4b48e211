import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { beside, codeOf } from "../../rig/build-from.ts";
import { GitServer, type GitRepository } from "../../rig/git-server.ts";
import { Project } from "../../rig/project.ts";

let server: GitServer;
let count = 0;

beforeAll(async () => {
  server = await GitServer.start();
});
afterAll(async () => await server[Symbol.asyncDispose]());

type Entry = readonly [mode: string, name: string, object: string];

/** Objects as no git writes them: a tree has the entries that it is given. */
class HostileRepository {
  readonly #repository: GitRepository;

  constructor(repository: GitRepository) {
    this.#repository = repository;
  }

  blob(text: string): string {
    return this.#write("blob", Buffer.from(text));
  }

  tree(...entries: readonly Entry[]): string {
    const parts = entries.map(([mode, name, object]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]),
    );
    return this.#write("tree", Buffer.concat(parts));
  }

  /** A branch with the tree alone; its commit. */
  commit(...entries: readonly Entry[]): string {
    const commit = this.#repository.git("commit-tree", "-m", "x", this.tree(...entries));
    this.#repository.git("update-ref", "refs/heads/main", commit);
    return commit;
  }

  #write(type: string, input: Buffer): string {
    const args = ["hash-object", "-t", type, "-w", "--stdin", "--literally"];
    return execFileSync("git", args, { cwd: this.#repository.directory, input }).toString().trim();
  }
}

/** What a hostile repository would make when it gets its way, a commit of another one, and its URL. */
interface Around {
  readonly victim: string;
  readonly commit: string;
  readonly url: string;
}

type Make = (hostile: HostileRepository, around: Around) => void;

const file = (name: string, hostile: HostileRepository, text = "x"): Entry => ["100644", name, hostile.blob(text)];
const submodule =
  (fields: (around: Around) => string, path = "s"): Make =>
  (hostile, around) => {
    const modules = `[submodule "s"]\n\tpath = ${path}\n${fields(around)}\n`;
    hostile.commit(file(".gitmodules", hostile, modules), ["160000", path, around.commit]);
  };

const cases: readonly (readonly [string, Make, string])[] = [
  [
    "a hook in .git",
    (hostile, { victim }) => {
      const hook = hostile.tree(["100755", "post-checkout", hostile.blob(`#!/bin/sh\ntouch ${victim}\n`)]);
      hostile.commit(["40000", ".git", hostile.tree(["40000", "hooks", hook])]);
    },
    "E_GIT",
  ],
  ["a .GIT", (hostile) => hostile.commit(["40000", ".GIT", hostile.tree(file("config", hostile))]), "E_GIT"],
  ["a directory ..", (hostile) => hostile.commit(["40000", "..", hostile.tree(file("victim", hostile))]), "E_GIT"],
  ["a path in a name", (hostile) => hostile.commit(file("../../../victim", hostile)), "E_GIT"],
  [
    "a symlink and a directory of one name",
    (hostile, { victim }) =>
      hostile.commit(
        ["120000", "a", hostile.blob(join(victim, ".."))],
        ["40000", "a", hostile.tree(file("victim", hostile))],
      ),
    "undefined",
  ],
  [
    "a symlink .gitmodules",
    (hostile) => hostile.commit(["120000", ".gitmodules", hostile.blob("/etc/hosts")]),
    "E_GIT",
  ],
  [
    "a command for updates of a submodule",
    submodule(({ url, victim }) => `\turl = ${url}\n\tupdate = !touch ${victim}`),
    "E_GIT",
  ],
  [
    "a command as the URL of a submodule",
    submodule(({ victim }) => `\turl = ext::sh -c touch% ${victim}`),
    "E_GIT_PROTOCOL",
  ],
  ["an option as the URL of a submodule", submodule(({ victim }) => `\turl = --upload-pack=touch ${victim}`), "E_GIT"],
  ["an option for ssh", submodule(({ victim }) => `\turl = ssh://-oProxyCommand=touch\${IFS}${victim}/x`), "E_GIT"],
  ["an option as the path of a submodule", submodule(({ url }) => `\turl = ${url}`, "-s"), "E_GIT"],
  [
    "settings of git in .gitmodules",
    submodule(
      ({ url, victim }) =>
        `\turl = ${url}\n\tbranch = --upload-pack=x\n[core]\n\tfsmonitor = touch ${victim}\n\tsshCommand = touch ${victim}`,
    ),
    "undefined",
  ],
  [
    "a repository among its files",
    (hostile, { victim }) => {
      const config = file("config", hostile, `[core]\n\tworktree = .\n\tfsmonitor = touch ${victim}\n`);
      const empty: Entry = ["40000", "refs", hostile.tree(file("x", hostile))];
      const objects: Entry = ["40000", "objects", hostile.tree(file("x", hostile))];
      const bare = hostile.tree(file("HEAD", hostile, "ref: refs/heads/main\n"), config, objects, empty);
      hostile.commit(["40000", "bare", bare]);
    },
    "undefined",
  ],
];

describe("a git repository that has", () => {
  it.each(cases)("%s does nothing outside of its files", async (_name, make, code) => {
    using project = new Project({});
    const victim = beside(project, "victim");
    const name = `hostile-${++count}.git`;
    const inner = server.repository(`inner-${count}.git`).commit({ i: "I" });
    make(new HostileRepository(server.repository(name)), {
      victim,
      commit: inner,
      url: server.url(`inner-${count}.git`),
    });
    const outputs = [{ type: "cacheonly" }] as const;
    const registry = { env: { PATH: process.env["PATH"] ?? "" } };
    for (const flag of ["", "--keep-git-dir "]) {
      project.write("Dockerfile", `FROM scratch\nADD ${flag}${server.url(name)} /\n`);
      const outcome = await project.build({ outputs, registry });
      expect(outcome.error === undefined ? "undefined" : codeOf(outcome)).toBe(code);
    }
    expect(existsSync(victim)).toBe(false);
    expect(readdirSync(join(project.store, ".."))).not.toContain("victim");
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });
});
