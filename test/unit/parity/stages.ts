import { over, type PlanCases } from "./plan-case.ts";

const platforms = (...names: readonly string[]): string =>
  names
    .map((name, at) => `FROM --platform=${name} scratch AS s${at}\nARG TARGETPLATFORM\nLABEL a=$TARGETPLATFORM`)
    .join("\n");
const noPlatform = (name: string): PlanCases[string] => ({
  text: `FROM --platform=${name} busybox:1`,
  error: "E_PLATFORM_INVALID 1:6",
});
const noName = (name: string): PlanCases[string] => ({ text: `FROM busybox:1 AS ${name}`, error: "E_STAGE_NAME 1:19" });

const twice = "BuildKit joins a relative directory of the base to itself";

/** FROM, stages and their names, the target, platforms. */
export const stages: PlanCases = {
  "an image": "FROM busybox:1",
  "an image with a value in every field": "FROM full:1\nRUN a",
  "an image with a relative directory": { text: "FROM rel:1\nRUN a\nWORKDIR b\nRUN c", differs: twice },
  "an image with triggers": "FROM onb:1\nRUN a",
  "an image with triggers, as a stage": "FROM onb:1 AS a\nFROM a\nRUN b",
  "a registry's full name": "FROM docker.io/library/busybox:1",
  "an image that is not there": { text: "FROM nope:1", error: "E_BASE_NOT_FOUND 1:6" },
  "upper case": { text: "FROM Busybox:1\n", error: "E_REF_INVALID 1:6" },
  "no image": { text: "FROM\n", error: "E_DOCKERFILE_SYNTAX 1:1" },
  "AS without a name": { text: "FROM busybox:1 AS\n", error: "E_DOCKERFILE_SYNTAX 1:1" },
  "more than a name": { text: "FROM busybox:1 AS a b\n", error: "E_DOCKERFILE_SYNTAX 1:1" },
  "another word than AS": { text: "FROM busybox:1 IS a\n", error: "E_DOCKERFILE_SYNTAX 1:16" },
  "an unknown flag": { text: "FROM --platfrom=linux/amd64 busybox:1", error: "E_FLAG_UNKNOWN 1:6", hint: "--platform" },
  "a flag twice": {
    text: "FROM --platform=linux/amd64 --platform=linux/amd64 busybox:1",
    error: "E_DOCKERFILE_SYNTAX 1:29",
  },

  "a name that begins with a digit": { text: "FROM busybox:1 AS 1a\n", error: "E_STAGE_NAME 1:19" },
  "a name with a slash": { text: "FROM busybox:1 AS a/b\n", error: "E_STAGE_NAME 1:19" },
  "a name with a variable": { text: "ARG n=a\nFROM busybox:1 AS $n\n", error: "E_STAGE_NAME 2:19" },
  "a name that begins with a line": noName("_a"),
  "a name that begins with a dash": noName("-a"),
  "a name with a colon": noName("a:b"),
  "a name in quotes": noName('"a"'),
  "a name beyond ASCII": noName("é"),
  "a long name": `FROM busybox:1 AS ${"a".repeat(300)}`,
  "AS in any case": "FROM busybox:1 aS a\nRUN x\nFROM a",
  "names of one image": "FROM docker.io/busybox:1\nFROM index.docker.io/library/busybox:1\nFROM library/busybox:1",
  "a flag behind the image": { text: "FROM busybox:1 --platform=linux/amd64", error: "E_DOCKERFILE_SYNTAX 1:1" },
  "a chain of every field": `FROM full:1 AS a\nENV x=1\nEXPOSE 2\nVOLUME /w\nLABEL m=2\nSTOPSIGNAL 3\nFROM a AS b\nRUN x\nFROM b\nUSER v`,
  "a chain from scratch": "FROM scratch AS a\nCOPY f /f\nFROM a\nCOPY g /g",
  "the name context": "FROM busybox:1 AS context\nRUN a",
  "the name scratch": "FROM busybox:1 AS scratch\nRUN a\nFROM scratch\nCOPY --from=scratch a /b",
  "every character of a name": "FROM busybox:1 AS a.b-C_1\nRUN a",
  "a name in upper case": {
    text: "FROM busybox:1 AS A.b-C_1\nFROM a.B-c_1\n",
    differs: "FROM finds stages in any case, as COPY --from does",
  },
  "a stage in upper case": {
    text: "FROM busybox:1 AS foo\nFROM FOO\n",
    differs: "FROM finds stages in any case, as COPY --from does",
  },
  "a name twice":
    "FROM busybox:1 AS a\nRUN echo 1 > /1\nFROM busybox:1 AS a\nRUN echo 2 > /2\nFROM a\nCOPY --from=a / /x/",
  "a name of an image": "FROM busybox:1 AS busybox\nRUN a\nFROM busybox\nRUN b",
  "a stage that is not needed": "FROM busybox:1 AS a\nRUN a\nFROM busybox:1\nRUN b",
  "a stage that is not needed, wrong": { text: "FROM nope:1 AS a\nRUN a\nFROM busybox:1\nRUN b" },
  "a stage that is not needed, without a base": {
    text: "FROM ${nope} AS a\nFROM busybox:1\nRUN b",
    error: "E_BASE_EMPTY 1:6",
  },
  "a stage that is not needed, behind the target": {
    text: "FROM busybox:1 AS a\nRUN a\nFROM $nope",
    target: "a",
    error: "E_BASE_EMPTY 3:6",
  },
  "a stage that is not needed, of blanks": { text: 'FROM "" AS a\nFROM busybox:1\nRUN b', error: "E_BASE_EMPTY 1:6" },
  "a stage that is not needed, with an open brace": {
    text: "FROM busybox:${v AS a\nFROM busybox:1\nRUN b",
    error: "E_EXPAND 1:6",
  },
  "a stage that is not needed, with an error of its own": {
    text: "FROM busybox:${v:?give-one} AS a\nFROM busybox:1\nRUN b",
    error: "E_EXPAND 1:6",
  },
  "a stage that is not needed, with a name that is none": {
    text: "FROM Busybox:1 AS a\nRUN a\nFROM busybox:1\nRUN b",
    error: "E_REF_INVALID 1:6",
  },
  "a stage that is not needed, with a digest that is none": {
    text: "FROM busybox:1\nFROM busybox@sha256:12 AS a\nFROM busybox:1\nRUN b",
    error: "E_REF_INVALID 2:6",
  },
  "a stage that is not needed, of an image's number": {
    text: `FROM ${"0123456789abcdef".repeat(4)} AS a\nFROM busybox:1`,
    error: "E_REF_INVALID 1:6",
  },
  "a stage that is not needed, over one that is none": {
    text: "FROM UPPER AS a\nFROM a AS c\nFROM busybox:1\nRUN b",
    error: "E_REF_INVALID 1:6",
  },
  "a stage that is not needed, over a later one": "FROM b AS a\nFROM busybox:1 AS b\nFROM busybox:1\nRUN x",
  "a stage that is not needed, with COPY from a name that is none": {
    text: "FROM busybox:1 AS a\nCOPY --from=Upper:1 / /x\nFROM busybox:1\nRUN b",
    error: "E_REF_INVALID 2:6",
  },
  "a stage that is not needed, with COPY from a number that is not there": {
    text: "FROM busybox:1 AS a\nCOPY --from=9 / /x\nFROM busybox:1\nRUN b",
    error: "E_STAGE_NOT_FOUND 2:6",
  },
  "a stage that is not needed, with COPY from itself": {
    text: "FROM busybox:1 AS a\nCOPY --from=a / /x\nFROM busybox:1\nRUN b",
    error: "E_STAGE_ORDER 2:6",
  },
  "a stage that is not needed, with COPY from a later one":
    "FROM busybox:1 AS a\nCOPY --from=c / /x\nFROM busybox:1 AS c\nRUN b",
  "a stage that is not needed, with COPY from an image that is not there":
    "FROM busybox:1 AS a\nCOPY --from=nope:1 / /x\nFROM busybox:1\nRUN b",
  "a stage that is not needed, with a mount from a name that is none": {
    text: "FROM busybox:1 AS a\nRUN --mount=from=Upper,target=/x x\nFROM busybox:1\nRUN b",
    error: "E_REF_INVALID 2:5",
  },
  "a stage that is not needed, with what is wrong in it":
    "FROM busybox:1 AS a\nEXPOSE x\nCOPY --chmod=zz x y\nRUN --mount=type=foo x\nSTOPSIGNAL x\nFROM busybox:1\nRUN b",
  "a stage that is not needed, with a platform that is none": {
    text: "FROM --platform=a/b/c/d busybox:1 AS a\nFROM busybox:1\nRUN b",
    error: "E_PLATFORM_INVALID 1:6",
  },
  "a stage that is not needed, with a platform of an unset variable": {
    text: "FROM --platform=$nope busybox:1 AS a\nFROM busybox:1\nRUN b",
    error: "E_PLATFORM_INVALID 1:6",
  },
  "two stages that are wrong": {
    text: "FROM busybox:1 AS a\nCOPY\nFROM $nope",
    target: "a",
    error: "E_DOCKERFILE_SYNTAX 2:1",
  },
  "a chain": "FROM busybox:1 AS a\nENV A=1\nWORKDIR /w\nFROM a AS b\nUSER u\nRUN a\nFROM b\nRUN b",

  scratch: "FROM scratch\nCOPY a /b",
  "scratch with RUN": "FROM scratch\nRUN a",
  "scratch in upper case": { text: "FROM SCRATCH", error: "E_REF_INVALID 1:6" },
  "nothing at all": "FROM scratch",

  "--target by name": { text: "FROM busybox:1 AS foo\nRUN a\nFROM busybox:1\n", target: "foo" },
  "--target in upper case": { text: "FROM busybox:1 AS foo\nRUN a\nFROM busybox:1\n", target: "FOO" },
  "--target by number": {
    text: "FROM busybox:1\nRUN a\nFROM busybox:1\n",
    target: "0",
    differs: "a stage without a name can be the target",
  },
  "--target of a name that looks like a number": {
    text: "FROM busybox:1 AS a\nFROM busybox:1",
    target: "7",
    error: "E_TARGET_NOT_FOUND 2:1",
  },
  "--target that is not there": {
    text: "FROM busybox:1 AS foo\n",
    target: "fop",
    error: "E_TARGET_NOT_FOUND 1:1",
    hint: "foo",
  },
  "--target that only the target sees": { text: "FROM busybox:1 AS a\nRUN a\nFROM nope:1", target: "a" },
  "the stage's name in TARGETSTAGE": {
    text: "ARG TARGETSTAGE\nFROM busybox:1 AS foo\nARG TARGETSTAGE\nRUN echo $TARGETSTAGE\nFROM busybox:1 AS bar",
    target: "foo",
  },
  "no name in TARGETSTAGE": "FROM busybox:1\nARG TARGETSTAGE\nRUN echo $TARGETSTAGE",
  "a stage chosen by an argument": {
    text: "ARG kind=a\nFROM busybox:1 AS base-a\nRUN a\nFROM busybox:1 AS base-b\nRUN b\nFROM base-${kind}\nRUN c",
    args: { kind: "b" },
  },

  "COPY from a later stage": {
    text: "FROM busybox:1 AS a\nCOPY --from=b / /\nFROM busybox:1 AS b\n",
    target: "a",
    error: "E_STAGE_ORDER 2:6",
  },
  "COPY from its own stage": { text: "FROM busybox:1 AS a\nCOPY --from=a / /x\n", error: "E_STAGE_ORDER 2:6" },
  "COPY from its own number": { text: "FROM busybox:1 AS a\nCOPY --from=0 / /x\n", error: "E_STAGE_ORDER 2:6" },
  "COPY in a circle": {
    text: "FROM busybox:1 AS a\nCOPY --from=c / /x\nFROM a AS b\nFROM b AS c\n",
    error: "E_STAGE_ORDER 2:6",
  },
  "FROM a later stage": {
    text: "FROM b AS a\nFROM busybox:1 AS b\nFROM a",
    error: "E_BASE_NOT_FOUND 1:6",
  },
  "FROM its own name": { text: "FROM a AS a", error: "E_BASE_NOT_FOUND 1:6" },
  "FROM a number": { text: "FROM busybox:1\nFROM 0", error: "E_BASE_NOT_FOUND 2:6" },
  "COPY from a number that is not there": { text: over("COPY --from=9 / /x"), error: "E_STAGE_NOT_FOUND 2:6" },
  "COPY from a number below zero": { text: over("COPY --from=-1 / /x"), error: "E_REF_INVALID 2:6" },
  "COPY from a number with zeros": "FROM busybox:1\nFROM busybox:1\nCOPY --from=00 /etc/passwd /x\n",
  "COPY from a number with a plus": {
    text: "FROM busybox:1\nFROM busybox:1\nCOPY --from=+0 /etc/passwd /x\n",
    error: "E_REF_INVALID 3:6",
    differs: "a stage's number is digits",
  },
  "COPY from a stage by number":
    "FROM busybox:1\nRUN a\nFROM busybox:1\nRUN b\nFROM busybox:1\nCOPY --from=0 a /\nCOPY --from=1 b /",
  "COPY from an image": "FROM scratch\nCOPY --from=busybox:1 /bin/sh /",
  "COPY from an image that is not there": { text: over("COPY --from=nope:1 / /x"), error: "E_BASE_NOT_FOUND 2:6" },
  "COPY from a stage in upper case": "FROM busybox:1 AS foo\nRUN a\nFROM busybox:1\nCOPY --from=FOO a /b",
  "COPY from a variable": {
    text: "FROM busybox:1 AS foo\nRUN a\nFROM busybox:1\nARG from=foo\nCOPY --from=$from a /b",
    differs: "variables in --from",
  },
  "COPY from nothing": over("COPY --from= f /f"),
  "COPY from scratch": over("COPY --from=scratch / /x/"),

  "platforms by their names": platforms("linux/arm64/v8", "linux/arm", "linux/arm/v6", "linux/386", "linux/amd64/v2"),
  "platforms by other names": platforms("linux/aarch64", "linux/x86_64", "linux/armhf", "linux/armel", "linux/i386"),
  "platforms in part": platforms("amd64", "linux", "Linux/AMD64"),
  "an unknown platform": platforms("linux/nope", "linux/riscv64"),
  "a platform of one unknown word": noPlatform("nope"),
  "the platform local": noPlatform("local"),
  "a platform without an architecture": noPlatform("linux/"),
  "a platform without a system": noPlatform("/amd64"),
  "a platform with an empty variant": noPlatform("linux/amd64/"),
  "a platform in quotes": "FROM --platform='linux/arm64' busybox:1\nARG TARGETPLATFORM\nRUN x",
  "a platform of a stage's ARG": {
    text: "FROM busybox:1\nARG P=linux/arm64\nFROM --platform=$P busybox:1",
    error: "E_PLATFORM_INVALID 3:6",
  },
  "versions of systems": over("ARG TARGETOSVERSION BUILDOSVERSION\nRUN x"),
  "a platform's variables without ARG": over("RUN $TARGETARCH\nLABEL a=$TARGETARCH b=$BUILDPLATFORM"),
  "a platform's variables given": {
    text: over("ARG TARGETARCH\nRUN x\nARG TARGETOS=z\nRUN y"),
    args: { TARGETARCH: "q" },
  },
  "a platform's variables before FROM":
    "ARG TARGETARCH=zz\nARG BUILDPLATFORM=linux/arm64\nFROM --platform=$BUILDPLATFORM busybox:1\nARG TARGETARCH BUILDPLATFORM\nRUN x",
  "a platform's variables before FROM, given": {
    text: "ARG TARGETPLATFORM\nFROM --platform=$TARGETPLATFORM busybox:1\nARG TARGETPLATFORM\nRUN x",
    args: { TARGETPLATFORM: "linux/s390x" },
  },
  "an empty platform": "FROM --platform= busybox:1",
  "a platform": "FROM --platform=linux/arm64 busybox:1\nRUN a",
  "a platform's variables":
    "FROM --platform=$BUILDPLATFORM busybox:1\nARG BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT\nRUN a",
  "a platform's variables asked for": {
    text: "FROM busybox:1\nARG BUILDPLATFORM\nARG TARGETPLATFORM\nARG TARGETARCH\nARG TARGETVARIANT\nRUN a",
    platform: "linux/arm/v7",
  },
  "a platform asked for": { text: over("RUN a"), platform: "linux/arm64" },
  "a platform that is none": { text: "FROM --platform=a/b/c/d busybox:1", error: "E_PLATFORM_INVALID 1:6" },
  "a platform of an unset variable": { text: "FROM --platform=$NOPE busybox:1", error: "E_PLATFORM_INVALID 1:6" },
  "a platform of a variable that has none": {
    text: "ARG P\nFROM --platform=$P busybox:1",
    error: "E_PLATFORM_INVALID 2:6",
  },
  "a platform of an argument": { text: "ARG P\nFROM --platform=$P busybox:1\nRUN a", args: { P: "linux/arm64" } },
  "scratch with a platform": "FROM --platform=linux/arm64 scratch\nCOPY f /f",
  "a stage of another platform's": "FROM --platform=linux/arm64 busybox:1 AS a\nFROM a\nRUN a",

  "--label": { text: over("LABEL a=1 b=2"), labels: { b: "3", c: "4" } },
  "--label alone": { text: "FROM busybox:1", labels: { c: "$x" } },
  "--label over the base's": { text: "FROM full:1", labels: { l: "2" } },
};
