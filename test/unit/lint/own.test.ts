import { describe, expect, it } from "vitest";
import { ownRules } from "../../../builder/lint/own-rules.ts";
import { lintText, type LintRequest } from "../../rig/lint.ts";

/** What our own rules say: `Rule line:column-line:column` of the words that are marked, without what does not matter here. */
async function told(text: string, request: LintRequest = {}): Promise<readonly string[]> {
  const { warnings, error } = await lintText(text, { ...request, own: ownRules });
  expect(error).toBe(undefined);
  return warnings.flatMap(({ rule, location, at = location }) => {
    const { start, end } = at;
    const short = rule.name.slice("tsbuild/".length);
    return rule.name.startsWith("tsbuild/") ? [`${short} ${start.line}:${start.column}-${end.line}:${end.column}`] : [];
  });
}

const clean = " && rm -rf /var/lib/apt/lists/*";
const pip = "--no-cache-dir";

/** Rules by what a RUN over debian:12 or another image says; nothing for what is fine. */
const runs: readonly (readonly [command: string, ...told: readonly string[]])[] = [
  // AptRecommends
  [`apt-get update && apt-get install -y curl${clean}`, "AptRecommends 2:23-2:38"],
  [
    `apt-get update && sudo apt-get -qq -o X=1 install curl${clean}`,
    "AptRecommends 2:23-2:54",
    "NeedlessSudo 2:23-2:35",
  ],
  [`apt-get update && apt -y install curl${clean}`, "AptRecommends 2:23-2:37"],
  [`apt-get update && apt-get -o APT::Install-Recommends=false install curl${clean}`],
  [`apt-get update && apt-get install --install-recommends curl${clean}`],
  [`apt-get update && apt-get install -f${clean}`],
  [`apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends a b${clean}`],
  ["echo apt-get install curl"],
  // PackageCacheKept
  ["apt-get update && apt-get install -y --no-install-recommends curl", "PackageCacheKept 2:5-2:19"],
  ["apt-get update && apt-get install -y --no-install-recommends curl && apt-get clean", "PackageCacheKept 2:5-2:19"],
  [
    "rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y --no-install-recommends a",
    "PackageCacheKept 2:36-2:50",
  ],
  ["apt-get update; apt-get install -y --no-install-recommends a; rm -r /var/lib/{apt,dpkg}"],
  ["apt-get update; apt-get install -y --no-install-recommends a; find /var/lib/apt/lists -type f -delete"],
  ["apt-get update; apt-get install -y --no-install-recommends a; apt-get distclean"],
  ["--mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y --no-install-recommends a"],
  ["--mount=type=tmpfs,target=/var/lib/apt/lists apt-get update && apt-get install -y --no-install-recommends a"],
  [
    "--mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y --no-install-recommends a",
    "PackageCacheKept 2:46-2:60",
  ],
  ["apk add git", "PackageCacheKept 2:5-2:12"],
  ["apk update && apk add git", "PackageCacheKept 2:5-2:15"],
  ["apk --no-cache add git"],
  ["apk add git && rm -rf /var/cache/apk/*"],
  ["--mount=type=cache,target=/etc/apk/cache apk add git"],
  ["dnf -y install git", "PackageCacheKept 2:5-2:19"],
  ["yum install -y git && yum clean all"],
  ["pip install flask", "PackageCacheKept 2:5-2:16"],
  ["python3 -m pip install flask", "PackageCacheKept 2:5-2:27"],
  [`pip3 install ${pip} flask`],
  ["PIP_NO_CACHE_DIR=1 pip install flask"],
  ["pip install flask && pip cache purge"],
  ["pip install flask && rm -rf ~/.cache"],
  ["--mount=type=cache,target=/root/.cache pip install flask"],
  ["npm ci", "PackageCacheKept 2:5-2:11"],
  ["npm ci --cache /tmp/npm"],
  ["npm ci && npm cache clean --force"],
  ["npm install -g npm"],
  // AptUpdateAlone
  ["set -e; apt-get update", "AptUpdateAlone 2:13-2:27"],
  ["apt-get update && ./install.sh", "PackageCacheKept 2:5-2:19"],
  ["--mount=type=cache,target=/var/lib/apt apt-get update"],
  // DownloadIntoPipe
  ["curl -fsSL https://example.com/x | bash -", "DownloadIntoPipe 2:5-2:37"],
  ["wget -qO- https://example.com/x | sudo -E bash -", "DownloadIntoPipe 2:5-2:36", "NeedlessSudo 2:39-2:51"],
  ["/usr/bin/curl https://example.com/x | tee /y", "DownloadIntoPipe 2:5-2:40"],
  ["set -o pipefail; curl https://example.com/x | sh"],
  ["set -euxo pipefail && curl https://example.com/x | sh"],
  ["curl https://example.com/x.tgz | tar xz"],
  ["curl https://example.com/x || sh"],
  // RunWithoutEffect
  ["cd /app", "RunWithoutEffect 2:5-2:12"],
  ["export A=1 && B=2", "RunWithoutEffect 2:5-2:15"],
  ["A=1", "RunWithoutEffect 2:5-2:8"],
  ["cd /app && make"],
  ["A=1 make"],
  ["cd $(mktemp -d)"],
  ["export >/environment"],
  [". ./env && true"],
  // NeedlessSudo
  ["sudo -H env A=1 make", "NeedlessSudo 2:5-2:25"],
  ["sudo -u app make"],
  ["sudo --user=app make"],
  ["echo sudo make"],
];

describe("our own rules of RUN", () => {
  it.each(runs)("%s", async (command, ...expected) => {
    expect(await told(`FROM debian:12\nRUN ${command}\n`)).toEqual(expected);
  });

  it("mark words over several lines, in heredocs, and beside comments", async () => {
    const lines = "FROM debian:12\nRUN set -ex; \\\n  # why\n  sudo \\\n\n  make a\n";
    expect(await told(lines)).toEqual(["NeedlessSudo 4:3-6:7"]);
    expect(await told("FROM debian:12\nRUN <<EOF\nset -e\n\n  sudo make\nEOF\n")).toEqual(["NeedlessSudo 5:3-5:12"]);
    expect(await told("FROM debian:12\nRUN <<-EOF\n\t#!/bin/bash\n\tsudo make\n\tEOF\n")).toEqual([
      "NeedlessSudo 4:2-4:11",
    ]);
  });

  it.each([
    ["another program than a shell", 'SHELL ["/usr/bin/python3", "-c"]\nRUN cd /x'],
    ["a heredoc for another program", "RUN <<EOF\n#!/usr/bin/env python3\ncd /x\nEOF"],
    ["a heredoc beside a command", "RUN cat <<EOF\ncd /x\nsudo make\nEOF"],
    ["the exec form", 'RUN ["cd", "/x"]'],
  ])("are silent on %s", async (_, text) => {
    expect(await told(`FROM debian:12\n${text}\n`)).toEqual([]);
  });
});

/** Whole files; what they say of the others. */
const files: readonly (readonly [what: string, text: string, ...told: readonly string[]])[] = [
  [
    "caches of a stage that is not in the image",
    "FROM debian:12 AS a\nRUN apk add x && pip install y\nFROM debian:12\nCOPY --from=a /x /x\n",
  ],
  [
    "caches of a stage below the image's",
    "FROM debian:12 AS a\nRUN apk add x\nFROM a AS b\nFROM A\n",
    "PackageCacheKept 2:5-2:12",
  ],
  ["PIP_NO_CACHE_DIR of the stage", "FROM debian:12\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x\n"],
  [
    "apt that has been told",
    "FROM debian:12\nRUN echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/x\nRUN apt-get install -y x\n",
  ],
  ["sudo of another user", "FROM debian:12\nUSER app\nRUN sudo make\n"],
  ["sudo after USER root", "FROM debian:12\nUSER app\nUSER root:root\nRUN sudo make\n", "NeedlessSudo 4:5-4:14"],
  [
    "npm install with a lock file",
    "FROM node:24\nCOPY package*.json ./\nRUN --mount=type=cache,target=/root/.npm npm i --omit=dev\n",
    "NpmInstall 3:42-3:47",
  ],
  [
    "npm install with a mounted lock file",
    "FROM node:24\nRUN --mount=type=bind,source=package-lock.json,target=package-lock.json --mount=type=cache,target=/root/.npm npm install\n",
    "NpmInstall 2:110-2:121",
  ],
  [
    "npm install without one",
    "FROM node:24\nCOPY package.json ./\nRUN --mount=type=cache,target=/root/.npm npm install\n",
  ],
  [
    "npm install of a package",
    "FROM node:24\nCOPY package*.json ./\nRUN --mount=type=cache,target=/root/.npm npm install left-pad\n",
  ],
  [
    "all before an installation",
    "FROM node:24\nCOPY . /app\nRUN pip install --no-cache-dir -r requirements.txt && go mod download && yarn\n",
    "CopyBeforeInstall 3:5-3:16",
    "CopyBeforeInstall 3:55-3:70",
    "CopyBeforeInstall 3:74-3:78",
  ],
  [
    "an installation of the sources",
    "FROM node:24\nCOPY . /app\nRUN pip install --no-cache-dir . && pip install --no-cache-dir -e . -r requirements.txt\n",
  ],
  [
    "all of another stage before an installation",
    "FROM scratch AS a\nFROM node:24\nCOPY --from=a . .\nRUN yarn install\n",
  ],
  ["ADD of files", "FROM scratch\nADD a.txt b/ *.js /x/\nADD . .\n", "AddForCopy 2:1-2:4", "AddForCopy 3:1-3:4"],
  [
    "ADD for what it is",
    "FROM scratch\nADD a.tar.gz /\nADD a.tgz b.txt /x/\nADD https://example.com/a.txt /\nADD --unpack=false a.txt /\nADD <<EOF /x\nEOF\nADD dist/* /x/\n",
  ],
  [
    "chown of what was copied",
    "FROM debian:12\nWORKDIR /app\nCOPY . .\nUSER root\nRUN chown -R a:b . && make\n",
    "ChownAfterCopy 5:5-5:19",
  ],
  [
    "chmod of a file that was copied",
    "FROM debian:12\nCOPY bin/run.sh /usr/local/bin/\nRUN chmod +x /usr/local/bin/run.sh\n",
    "ChownAfterCopy 3:5-3:35",
  ],
  ["chmod of a file under another name", "FROM debian:12\nCOPY run.sh /entry\nRUN chmod +x /entry /other\n"],
  ["chown of what was there before", "FROM debian:12\nCOPY . /app\nRUN make\nRUN chown -R a /app\n"],
  ["chown of a directory alone", "FROM debian:12\nCOPY src /app\nRUN chown a /app\n"],
  ["chown to what a variable says", "FROM debian:12\nCOPY . /app\nRUN chown -R $USER /app\n"],
  [
    "images without a version",
    "FROM alpine:latest\nCOPY --from=golang /x /\n",
    "LatestBase 1:6-1:19",
    "LatestBase 2:6-2:19",
  ],
  ["images with one", "ARG V=3\nFROM alpine:$V AS a\nFROM scratch\nFROM a\n"],
  [
    "a skip above the instruction",
    "# check=skip=tsbuild/LatestBase\nFROM alpine\n# check=skip=tsbuild/RunWithoutEffect\nRUN cd /x\n",
  ],
  ["skip=all", "# check=skip=all\nFROM alpine\nRUN cd /x\n"],
  ["names of no check", "# check=skip=all;experimental=CopyIgnored\nFROM scratch\n"],
  [
    "names of no check above an instruction",
    "FROM scratch\n# check=skip=UndefinedVar,tsbuild/LatestBse\nCOPY a /\n",
    "UnknownCheck 3:1-3:5",
  ],
  ["what is experimental", "FROM golang:1\nRUN go build\n"],
  [
    "a cache mount that is there",
    "# check=experimental=all\nFROM golang@sha256:" + "0".repeat(64) + "\nRUN --mount=type=cache,target=/x go build\n",
  ],
];

describe("our own rules", () => {
  it.each(files)("%s", async (_, text, ...expected) => {
    expect(await told(text)).toEqual(expected);
  });

  it("say how each is mended", async () => {
    for (const rule of ownRules) {
      const { bad, ...request } = rule.examples();
      const { warnings } = await lintText(bad, { ...request, own: ownRules });
      const found = warnings.filter((warning) => warning.rule.name === rule.name);
      expect(found.map(({ hint }) => hint ?? `${rule.name} has no hint`)).not.toContain(`${rule.name} has no hint`);
      expect(found.length).toBe(1);
    }
  });

  it("let an ignore file decide what a copy of all is", async () => {
    const text = "FROM node:24\nCOPY . .\nRUN yarn install\n";
    expect(await told(text, { ignore: "node_modules\n" })).toEqual(["CopyBeforeInstall 3:5-3:17"]);
    expect(await told(text, { ignore: "*\n!package.json\n" })).toEqual([]);
  });

  it("say nothing of the triggers of a base image", async () => {
    const base = { onbuild: ["RUN cd /x", "ADD a.txt /"] };
    expect(await told("FROM debian:12\n", { base })).toEqual([]);
  });

  it("look at the stages of the target", async () => {
    const text = "FROM debian:12 AS a\nRUN apk add x\nFROM scratch\n";
    expect(await told(text, { allStages: true })).toEqual([]);
    expect(await told(text, { target: "a" })).toEqual(["PackageCacheKept 2:5-2:12"]);
    expect(await told(text, { target: "0" })).toEqual(["PackageCacheKept 2:5-2:12"]);
  });
});
