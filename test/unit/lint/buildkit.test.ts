import { describe, expect, it } from "vitest";
import { lintText, type LintRequest } from "../../rig/lint.ts";

type Told = readonly (readonly [line: number, rule: string, message: string])[];

interface Case {
  readonly text: string;
  readonly told: Told;
  readonly request?: LintRequest;
  readonly code?: string;
}

const casing = (name: string, most: string): string =>
  `Command '${name}' should match the case of the command majority (${most})`;
const many = (name: string): string =>
  `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`;
const secret = (what: string): string => `Do not use ARG or ENV instructions for sensitive data (${what})`;
const json = (name: string): string =>
  `JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`;
const described = (kind: string, name: string): string =>
  `Comment for ${kind} should follow the format: \`# ${name} <description>\``;
const asCasing = "'as' and 'FROM' keywords' casing do not match";

/** What BuildKit's own tests of its checks (frontend/dockerfile/dockerfile_lint_test.go) say of texts like these. */
const cases: Readonly<Record<string, Case>> = {
  "skip=all": { text: "#check=skip=all\nFROM scratch as base\ncopy Dockerfile .\n", told: [] },
  "skip=all with error=true": {
    text: "#check=skip=all;error=true\nFROM scratch as base\ncopy Dockerfile .\n",
    told: [],
  },
  "skip of two rules": {
    text: "#check=skip=ConsistentInstructionCasing,FromAsCasing;error=true\nFROM scratch as base\ncopy Dockerfile .\n",
    told: [],
  },
  "skip of one rule": {
    text: "#check=skip=ConsistentInstructionCasing\nFROM scratch as base\ncopy Dockerfile .\n",
    told: [[2, "FromAsCasing", asCasing]],
  },
  "error=true": {
    text: "#check=skip=ConsistentInstructionCasing;error=true\nFROM scratch as base\ncopy Dockerfile .\n",
    told: [[2, "FromAsCasing", asCasing]],
    code: "E_CHECK_FAILED",
  },
  "the build argument in the place of the directive": {
    text: "#check=skip=all\nFROM scratch as base\ncopy Dockerfile .\n",
    told: [[2, "FromAsCasing", asCasing]],
    request: { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: "skip=ConsistentInstructionCasing;error=true" } },
    code: "E_CHECK_FAILED",
  },
  "the build argument against error=true": {
    text: "#check=error=true\nFROM scratch as base\ncopy Dockerfile .\n",
    told: [],
    request: { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: "skip=all" } },
  },
  "stage names": {
    text: "\n# a\n#\nFROM scratch AS BadStageName\n\n# b\n#\nFROM scratch as base2\n\nFROM scratch AS base3\n",
    told: [
      [4, "StageNameCasing", "Stage name 'BadStageName' should be lowercase"],
      [8, "FromAsCasing", asCasing],
    ],
  },
  "as in a file in lower case": {
    text: "\n# a\n#\nfrom scratch AS base\n\nfrom scratch as base2\n",
    told: [[4, "FromAsCasing", "'AS' and 'from' keywords' casing do not match"]],
  },
  "an empty continuation line": {
    text: "\nFROM scratch\n# a\nCOPY Dockerfile \\\n\n.\nCOPY Dockerfile \\\n.\n",
    told: [[6, "NoEmptyContinuation", "Empty continuation line"]],
  },
  "two empty continuation lines of one instruction": {
    text: "FROM scratch\nCOPY Dockerfile \\\n\n\n  \\\n\n.\n",
    told: [[7, "NoEmptyContinuation", "Empty continuation line"]],
  },
  "From among upper case": {
    text: "\n# a\n#\nFrom scratch as base\nFROM scratch AS base2\n",
    told: [[4, "ConsistentInstructionCasing", casing("From", "uppercase")]],
  },
  "copy among upper case": {
    text: "\nFROM scratch\n# a\ncopy Dockerfile /foo\nCOPY Dockerfile /bar\n",
    told: [[4, "ConsistentInstructionCasing", casing("copy", "uppercase")]],
  },
  "frOM among lower case": {
    text: "\n# a\n#\nfrOM scratch as base\nfrom scratch as base2\n",
    told: [[4, "ConsistentInstructionCasing", casing("frOM", "lowercase")]],
  },
  "COPY among lower case": {
    text: "\nfrom scratch\n# a\nCOPY Dockerfile /foo\ncopy Dockerfile /bar\n",
    told: [[4, "ConsistentInstructionCasing", casing("COPY", "lowercase")]],
  },
  "from among upper case": {
    text: "\n# a\n#\nfrom scratch\nCOPY Dockerfile /foo\nCOPY Dockerfile /bar\nCOPY Dockerfile /baz\n",
    told: [[4, "ConsistentInstructionCasing", casing("from", "uppercase")]],
  },
  "FROM among lower case": {
    text: "\n# a\n#\nFROM scratch\ncopy Dockerfile /foo\ncopy Dockerfile /bar\ncopy Dockerfile /baz\n",
    told: [[4, "ConsistentInstructionCasing", casing("FROM", "lowercase")]],
  },
  "all in lower case": { text: "\nfrom scratch\ncopy Dockerfile /foo\n", told: [] },
  "the body of a heredoc": { text: "\nFROM alpine\nRUN <<'EOT'\nenv\nEOT\n", told: [] },
  "as many lower as upper": {
    text: "FROM scratch\ncopy a /\n",
    told: [[2, "ConsistentInstructionCasing", casing("copy", "uppercase")]],
  },
  "ARG before the first FROM in another case": { text: "arg A=1\nFROM scratch\nCOPY a /\n", told: [] },
  "two stages of one name": {
    text: "\nFROM scratch AS b\nFROM scratch AS b\n",
    told: [[3, "DuplicateStageName", 'Duplicate stage name "b", stage names should be unique']],
  },
  "stages of two names": { text: "\nFROM scratch AS b1\nFROM scratch AS b2\n", told: [] },
  "reserved stage names": {
    text: "\nFROM scratch AS scratch\nFROM scratch AS context\n",
    told: [
      [2, "ReservedStageName", 'Stage name should not use the same name as reserved stage "scratch"'],
      [3, "ReservedStageName", 'Stage name should not use the same name as reserved stage "context"'],
    ],
  },
  "a reserved name as the base": { text: "\nFROM scratch\nFROM scratch AS a\n", told: [] },
  "CMD in shell form": { text: "\nFROM scratch\nCMD mycommand\n", told: [[3, "JSONArgsRecommended", json("CMD")]] },
  "ENTRYPOINT in shell form": {
    text: "\nFROM scratch\nENTRYPOINT mycommand\n",
    told: [[3, "JSONArgsRecommended", json("ENTRYPOINT")]],
  },
  "shell form after SHELL": {
    text: '\nFROM scratch\nSHELL ["/usr/bin/customshell"]\nCMD mycommand\nENTRYPOINT mycommand\n',
    told: [],
  },
  "shell form over a stage with SHELL": {
    text: '\nFROM scratch AS base\nSHELL ["/usr/bin/customshell"]\n\nFROM base\nCMD mycommand\n',
    told: [],
  },
  "shell form over an image with SHELL": {
    text: "FROM windows\nCMD mycommand\n",
    told: [],
    request: { base: { shell: "powershell" } },
  },
  MAINTAINER: {
    text: "\nFROM scratch\nMAINTAINER me@example.org\n",
    told: [[3, "MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label"]],
  },
  "a label for the author": { text: '\nFROM scratch\nLABEL org.opencontainers.image.authors="me"\n', told: [] },
  "MAINTAINER with a comment that skips the rule": {
    text: "FROM scratch\n# check=skip=MaintainerDeprecated // wanted\nMAINTAINER me@example.org\n",
    told: [],
  },
  "a comment that skips another rule": {
    text: "FROM scratch\n# check=skip=UndefinedVar\nMAINTAINER me@example.org\n",
    told: [[3, "MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label"]],
  },
  "warnings before an error": {
    text: "\nFROM scratch AS BadStageName\nMAINTAINER me@example.org\nBADCMD\n",
    told: [
      [2, "StageNameCasing", "Stage name 'BadStageName' should be lowercase"],
      [3, "MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label"],
    ],
    code: "E_INSTRUCTION_UNKNOWN",
  },
  "a declared ARG in FROM": { text: "\nARG base=scratch\nFROM $base\nCOPY Dockerfile .\n", told: [] },
  "a predefined ARG declared again": {
    text: "\nARG BUILDPLATFORM=linux/amd64\nFROM --platform=$BUILDPLATFORM scratch\nCOPY Dockerfile .\n",
    told: [],
  },
  "a predefined ARG in FROM": { text: "\nFROM --platform=$BUILDPLATFORM scratch\nCOPY Dockerfile .\n", told: [] },
  "an ARG without a value in FROM": { text: "\nARG DEBUG\nFROM scratch${DEBUG}\nCOPY Dockerfile .\n", told: [] },
  "an ARG with a fallback in FROM": { text: "\nARG DEBUG\nFROM scra${DEBUG:-tch}\nCOPY Dockerfile .\n", told: [] },
  "an empty ARG with a fallback in FROM": {
    text: '\nARG DEBUG=""\nFROM scratch${DEBUG-@bogus}\nCOPY Dockerfile .\n',
    told: [],
  },
  "a misspelt predefined ARG in FROM": {
    text: "\nFROM --platform=$BULIDPLATFORM scratch\nCOPY Dockerfile .\n",
    told: [[2, "UndefinedArgInFrom", "FROM argument 'BULIDPLATFORM' is not declared (did you mean BUILDPLATFORM?)"]],
    code: "E_PLATFORM_INVALID",
  },
  "a misspelt ARG in --platform": {
    text: "\nARG MY_OS=linux\nARG MY_ARCH=amd64\nFROM --platform=linux/${MYARCH} busybox\nCOPY Dockerfile .\n",
    told: [[4, "UndefinedArgInFrom", "FROM argument 'MYARCH' is not declared (did you mean MY_ARCH?)"]],
    code: "E_PLATFORM_INVALID",
  },
  "an ARG in FROM that nothing is near to": {
    text: "\nARG tag=latest\nFROM busybox:${tag}${version} AS b\nCOPY Dockerfile .\n",
    told: [[3, "UndefinedArgInFrom", "FROM argument 'version' is not declared"]],
  },
  "FROM of a stage that is not needed": {
    text: "FROM alpine:$X AS unused\nFROM scratch\nCOPY a /\n",
    told: [
      [1, "UndefinedArgInFrom", "FROM argument 'X' is not declared"],
      [1, "InvalidDefaultArgInFrom", "Default value for ARG alpine:$X results in empty or invalid base image name"],
    ],
  },
  "a relative WORKDIR": {
    text: "\nFROM scratch\nWORKDIR app/\n",
    told: [[3, "WorkdirRelativePath", 'Relative workdir "app/" can have unexpected results if the base image changes']],
  },
  "a relative WORKDIR over a stage with an absolute one": {
    text: "\nFROM scratch AS a\nWORKDIR /app\n\nFROM a AS b\nWORKDIR subdir/\n",
    told: [],
  },
  "a second relative WORKDIR": {
    text: "FROM scratch\nWORKDIR a\nWORKDIR b\n",
    told: [[2, "WorkdirRelativePath", 'Relative workdir "a" can have unexpected results if the base image changes']],
  },
  "an ARG without a value": { text: "\nFROM scratch\nARG foo\nCOPY Dockerfile${foo} .\n", told: [] },
  "an ARG of the stage below": {
    text: "\nFROM alpine AS base\nARG foo=Dockerfile\n\nFROM base\nCOPY $foo .\n",
    told: [],
  },
  "a variable in RUN": { text: "\nFROM alpine\nRUN echo $PATH $nope\n", told: [] },
  "a variable before its ARG": {
    text: "\nFROM alpine\nCOPY $foo .\nARG foo=bar\nRUN echo $foo\n",
    told: [[3, "UndefinedVar", "Usage of undefined variable '$foo'"]],
  },
  "a misspelt variable": {
    text: "\nFROM alpine\nARG DIR_BINARIES=binaries/\nARG DIR_ASSETS=assets/\nARG DIR_CONFIG=config/\nCOPY $DIR_ASSET .\n",
    told: [[6, "UndefinedVar", "Usage of undefined variable '$DIR_ASSET' (did you mean $DIR_ASSETS?)"]],
  },
  "a misspelt variable of the base": {
    text: "\nFROM alpine\nENV PATH=$PAHT:/tmp/bin\n",
    told: [[3, "UndefinedVar", "Usage of undefined variable '$PAHT' (did you mean $PATH?)"]],
  },
  "a variable of the base": {
    text: "FROM node\nCOPY a /$NODE_VERSION/\n",
    told: [],
    request: { base: { env: ["PATH=/bin", "NODE_VERSION=1"] } },
  },
  "a variable with a comment that skips": {
    text: "FROM scratch\n# check=skip=UndefinedVar\nCOPY $foo .\nCOPY $foo .\n",
    told: [[4, "UndefinedVar", "Usage of undefined variable '$foo'"]],
  },
  "stages that are not needed": {
    text: "\nFROM scratch AS first\nCOPY $foo .\n\nFROM scratch AS second\nCOPY $bar .\n",
    told: [[6, "UndefinedVar", "Usage of undefined variable '$bar'"]],
  },
  "stages that are not needed, all asked for": {
    text: "\nFROM scratch AS first\nCOPY $foo .\n\nFROM scratch AS second\nCOPY $bar .\n",
    told: [
      [3, "UndefinedVar", "Usage of undefined variable '$foo'"],
      [6, "UndefinedVar", "Usage of undefined variable '$bar'"],
    ],
    request: { allStages: true },
  },
  "instructions that count once": {
    text: '\nFROM scratch\nENTRYPOINT ["/a"]\nENTRYPOINT ["/b"]\nCMD ["/a"]\nCMD ["/b"]\nHEALTHCHECK CMD ["/a"]\nHEALTHCHECK CMD ["/b"]\n',
    told: [
      [3, "MultipleInstructionsDisallowed", many("ENTRYPOINT")],
      [5, "MultipleInstructionsDisallowed", many("CMD")],
      [7, "MultipleInstructionsDisallowed", many("HEALTHCHECK")],
    ],
  },
  "instructions that count once, with others between": {
    text: '\nFROM scratch\nENTRYPOINT ["/a"]\nCMD ["/a"]\nHEALTHCHECK CMD ["/a"]\nCOPY <<EOF /a.txt\nHello\nEOF\nENTRYPOINT ["/b"]\nCMD ["/b"]\nHEALTHCHECK CMD ["/b"]\n',
    told: [
      [3, "MultipleInstructionsDisallowed", many("ENTRYPOINT")],
      [4, "MultipleInstructionsDisallowed", many("CMD")],
      [5, "MultipleInstructionsDisallowed", many("HEALTHCHECK")],
    ],
  },
  "instructions that count once, in two stages": {
    text: '\nFROM scratch AS a\nENTRYPOINT ["/a"]\nCMD ["/a"]\nHEALTHCHECK CMD ["/a"]\n\nFROM a AS b\nENTRYPOINT ["/b"]\nCMD ["/b"]\nHEALTHCHECK CMD ["/b"]\n',
    told: [],
  },
  "keys and values without =": {
    text: "\nFROM scratch\nENV testkey value\nLABEL key value\n",
    told: [
      [3, "LegacyKeyValueFormat", '"ENV key=value" should be used instead of legacy "ENV key value" format'],
      [4, "LegacyKeyValueFormat", '"LABEL key=value" should be used instead of legacy "LABEL key value" format'],
    ],
  },
  "keys and values with =": { text: "\nFROM scratch\nENV testkey=value\nLABEL key=value\n", told: [] },
  "keys and values without = in a stage that is not needed": {
    text: "\nFROM scratch AS a\n\nFROM a AS b\nENV testkey value\nLABEL key value\n\nFROM a AS c\n",
    told: [],
  },
  "an image for another platform": {
    text: "FROM alpine AS a\nCOPY --from=busybox / /\n",
    told: [
      [
        1,
        "InvalidBaseImagePlatform",
        'Base image alpine was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
      ],
      [
        2,
        "InvalidBaseImagePlatform",
        'Base image busybox was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
      ],
    ],
    request: { base: { architecture: "arm64" } },
  },
  "--platform=$TARGETPLATFORM": {
    text: "\nFROM --platform=$TARGETPLATFORM scratch\n",
    told: [
      [
        2,
        "RedundantTargetPlatform",
        "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
      ],
    ],
  },
  "--platform=${TARGETPLATFORM}": {
    text: "\nFROM --platform=${TARGETPLATFORM} scratch\n",
    told: [
      [
        2,
        "RedundantTargetPlatform",
        "Setting platform to predefined ${TARGETPLATFORM} in FROM is redundant as this is the default behavior",
      ],
    ],
  },
  "names that look like secrets": {
    text: "\nFROM scratch\nARG SECRET_PASSPHRASE\nENV SUPER_Secret=foo\nENV password=bar secret=baz\nARG super_duper_secret_token=foo auth=bar\nENV apikey=bar sunflower=foo\nENV git_key=\nENV PUBLIC_KEY=\nARG public_token\n",
    told: [
      [3, "SecretsUsedInArgOrEnv", secret('ARG "SECRET_PASSPHRASE"')],
      [4, "SecretsUsedInArgOrEnv", secret('ENV "SUPER_Secret"')],
      [5, "SecretsUsedInArgOrEnv", secret('ENV "password"')],
      [5, "SecretsUsedInArgOrEnv", secret('ENV "secret"')],
      [6, "SecretsUsedInArgOrEnv", secret('ARG "super_duper_secret_token"')],
      [6, "SecretsUsedInArgOrEnv", secret('ARG "auth"')],
      [7, "SecretsUsedInArgOrEnv", secret('ENV "apikey"')],
      [8, "SecretsUsedInArgOrEnv", secret('ENV "git_key"')],
    ],
  },
  "names of files and versions of secrets": {
    text: "FROM scratch\nENV PASSWORD_FILE=/run/secrets/p\nARG KEY_VERSION=1\nARG MONKEY=1\n",
    told: [],
  },
  "a tag that only --build-arg gives": {
    text: "\nARG VERSION\nFROM busybox:$VERSION\n",
    told: [
      [
        3,
        "InvalidDefaultArgInFrom",
        "Default value for ARG busybox:$VERSION results in empty or invalid base image name",
      ],
    ],
    request: { buildArgs: { VERSION: "latest" } },
  },
  "an image that only --build-arg gives": {
    text: "\nARG IMAGE\nFROM $IMAGE\n",
    told: [[3, "InvalidDefaultArgInFrom", "Default value for ARG $IMAGE results in empty or invalid base image name"]],
    request: { buildArgs: { IMAGE: "busybox:latest" } },
  },
  "a default that ends with a colon": {
    text: '\nARG SFX="box:"\nFROM busy${SFX}\n',
    told: [
      [3, "InvalidDefaultArgInFrom", "Default value for ARG busy${SFX} results in empty or invalid base image name"],
    ],
    request: { buildArgs: { SFX: "box:latest" } },
  },
  "a default tag": {
    text: '\nARG VERSION="latest"\nFROM busybox:${VERSION}\n',
    told: [],
    request: { buildArgs: { VERSION: "latest" } },
  },
  "an empty variant": {
    text: '\nARG BUSYBOX_VARIANT=""\nFROM busybox:stable${BUSYBOX_VARIANT}\n',
    told: [],
    request: { buildArgs: { BUSYBOX_VARIANT: "-musl" } },
  },
  "a variant without a value": {
    text: "\n\tARG BUSYBOX_VARIANT\n\tFROM busybox:stable${BUSYBOX_VARIANT}\n\t",
    told: [],
    request: { buildArgs: { BUSYBOX_VARIANT: "-musl" } },
  },
  "a constant platform": {
    text: "\nFROM --platform=linux/amd64 scratch\n",
    told: [[2, "FromPlatformFlagConstDisallowed", 'FROM --platform flag should not use constant value "linux/amd64"']],
  },
  "a constant platform in a stage that says so": {
    text: "\nFROM --platform=linux/amd64 scratch AS my_amd64_stage\nFROM --platform=linux/amd64 scratch AS linux\n",
    told: [],
  },
  "files that are ignored": {
    text: "FROM scratch\nCOPY Dockerfile .\nADD Dockerfile /windy\n",
    told: [
      [2, "CopyIgnoredFile", 'Attempting to Copy file "Dockerfile" that is excluded by .dockerignore'],
      [3, "CopyIgnoredFile", 'Attempting to Add file "Dockerfile" that is excluded by .dockerignore'],
    ],
    request: { ignore: "\nDockerfile\n" },
  },
  "files of a stage that have an ignored name": {
    text: "\nFROM scratch AS base\nCOPY Dockerfile /foobar\nADD Dockerfile /windy\n\nFROM base\nCOPY --from=base /foobar /Dockerfile\n",
    told: [],
    request: { ignore: "\nfoobar\n" },
  },
  "ignored files with an exception": {
    text: "FROM scratch\nCOPY a/b .\n",
    told: [],
    request: { ignore: "a\n!a/b\n" },
  },
  "the whole context while something is ignored": {
    text: "FROM scratch\nCOPY . .\n",
    told: [],
    request: { ignore: "a\n" },
  },
  "the whole context while all is ignored": {
    text: "FROM scratch\nCOPY . .\n",
    told: [[2, "CopyIgnoredFile", 'Attempting to Copy file "." that is excluded by .dockerignore']],
    request: { ignore: "*\n" },
  },
  "descriptions of ARG and FROM": {
    text: "# check=experimental=InvalidDefinitionDescription\n# foo this is the foo\nARG foo=bar\n\n# base this is the base image\nFROM scratch AS base\n\n# version this is the version number\nARG version=latest\n\n# baz this is the baz\nARG foo=baz bar=qux baz=quux\n#\nARG bit=bat\n\n# comment for something other than ARG or FROM\nCOPY Dockerfile .\n",
    told: [],
  },
  "comments that describe nothing": {
    text: "# check=experimental=InvalidDefinitionDescription\n# bar this is the bar\nARG foo=bar\n# BasE this is the BasE image\nFROM scratch AS base\n# definitely a bad comment\nARG version=latest\n# definitely a bad comment\nARG foo=baz bar=qux baz=quux\n",
    told: [
      [3, "InvalidDefinitionDescription", described("ARG", "foo")],
      [5, "InvalidDefinitionDescription", described("FROM", "base")],
      [7, "InvalidDefinitionDescription", described("ARG", "version")],
      [9, "InvalidDefinitionDescription", described("ARG", "<arg_key>")],
    ],
  },
  "comments that describe nothing, the rule not being asked for": {
    text: "# bar this is the bar\nARG foo=bar\nFROM scratch AS base\n",
    told: [],
  },
  "an experimental rule while all are skipped": {
    text: "# check=skip=all;experimental=all\n# bar this is the bar\nARG foo=bar\nFROM scratch as base\n",
    told: [[3, "InvalidDefinitionDescription", described("ARG", "foo")]],
  },
  "ports with protocols in upper case": {
    text: "FROM scratch\nARG P=UDP\nEXPOSE 80/TCP 8080/tcp 53/$P\n",
    told: [
      [3, "ExposeProtoCasing", "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"],
      [3, "ExposeProtoCasing", "Defined protocol '53/UDP' in EXPOSE instruction should be lowercase"],
    ],
  },
  "ports of the host": {
    text: "FROM scratch\nEXPOSE 127.0.0.1:80:80 [::1]:8080:8080 5000:5000 5000-5005\n",
    told: ["127.0.0.1:80:80", "[::1]:8080:8080", "5000:5000"].map((port) => [
      2,
      "ExposeInvalidFormat",
      `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
    ]),
  },
};

describe("checks say what BuildKit's say of", () => {
  it.each(Object.entries(cases))("%s", async (_name, { text, told, request = {}, code }) => {
    const { warnings, error } = await lintText(text, request);
    const found = warnings.map(({ rule, message, location }) => [location.start.line, rule.name, message]);
    const sorted = (lines: readonly (readonly unknown[])[]): readonly string[] =>
      lines.map((line) => line.join(" ")).sort((a, b) => (a < b ? -1 : 1));
    expect(sorted(found)).toEqual(sorted(told));
    expect(error).toEqual(code === undefined ? undefined : expect.objectContaining({ code }));
  });
});

describe("# check=", () => {
  it.each([
    ["skip", '"skip" is no option: it has no ='],
    ["skip=A;", '"" is no option: it has no ='],
    ["skp=A", 'there is no option "skp"'],
    ["error=yes", "error=yes is neither true nor false"],
    ["error=", "error= is neither true nor false"],
    ["skip=A;error=true;experimental=B;skip=C", undefined],
    ["skip=A;error=true;foo", '"foo" is no option: it has no ='],
  ])("%s", async (options, why) => {
    const { error } = await lintText(`# check=${options}\nFROM scratch\n`);
    const message = `Cannot read # check=${options}: ${why}`;
    const expected = { code: "E_CHECK_OPTION", message, location: { start: { line: 1 } } };
    expect(error).toEqual(why === undefined ? undefined : expect.objectContaining({ code: "E_CHECK_OPTION" }));
    if (why !== undefined) expect(error).toMatchObject(expected);
    const given = await lintText("FROM scratch\n", { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: options } }).catch(
      (thrown: unknown) => ({ error: thrown }),
    );
    expect(given.error).toEqual(why === undefined ? undefined : expect.objectContaining({ code: "E_BUILD_ARG" }));
  });

  it("may be followed by a reason", async () => {
    const { warnings } = await lintText("# check=skip=FromAsCasing // as we like it\nFROM scratch as a\n");
    expect(warnings).toEqual([]);
  });

  it("is not read for the frontend when the build argument is empty: all rules are on", async () => {
    const buildArgs = { BUILDKIT_DOCKERFILE_CHECK: "" };
    const { warnings } = await lintText("# check=skip=all\nFROM scratch as a\n", { buildArgs });
    expect(warnings.map(({ rule }) => rule.name)).toEqual(["FromAsCasing"]);
  });

  it("cannot skip what is about the whole file from above an instruction", async () => {
    const { warnings } = await lintText("FROM scratch AS a\n# check=skip=DuplicateStageName\nFROM scratch AS a\n");
    expect(warnings.map(({ rule }) => rule.name)).toEqual(["DuplicateStageName"]);
  });
});
