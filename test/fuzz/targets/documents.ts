import { artifactType } from "../../../store/oci/artifact.ts";
import { ranked } from "../../../store/oci/choose.ts";
import { parseManifest } from "../../../store/oci/parse.ts";
import { parseConfig } from "../../../store/oci/parse-config.ts";
import { parsePlatform } from "../../../store/oci/platform.ts";
import { parseBuildRecord } from "../../../builder/solve/record/record.ts";
import { parseSettings } from "../../../builder/cli/config/settings.ts";
import { parseSpec, SpecError } from "../../../builder/inputs/cdi/spec.ts";
import { parseYaml, YamlError } from "../../../builder/inputs/cdi/yaml.ts";
import { outcome, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";
import { configProblem } from "./config-shape.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const json = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "null",
  "true",
  "1",
  "-1",
  "1e99",
  '""',
  '{"',
  '":',
  '","',
  '"__proto__":',
  "\\u0000",
];
const fields =
  "schemaVersion mediaType manifests layers config digest size platform architecture os variant annotations urls rootfs diff_ids history Env Cmd Entrypoint Labels ExposedPorts Volumes Healthcheck User created empty_layer OnBuild Shell Test"
    .split(" ")
    .map((name) => `"${name}":`);
const media = ["manifest.v1", "index.v1"].map((name) => `"application/vnd.oci.image.${name}+json"`);

export const manifests: FuzzTarget = {
  name: "manifests",
  sources: ["store/oci/"],
  tokens: [...json, ...fields, ...media, `"${digest}"`, '"linux"', '"amd64"'],
  seeds: [
    `{"schemaVersion":2,"mediaType":${media[0]},"config":{"mediaType":"a","digest":"${digest}","size":1},"layers":[{"mediaType":"b","digest":"${digest}","size":2}]}`,
    `{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"${digest}","size":1,"platform":{"os":"linux","architecture":"arm","variant":"v7"}}]}`,
    `{"schemaVersion":2,"config":{"mediaType":null,"digest":"${digest}","size":1,"annotations":{"a":null}},"layers":null,"manifests":null}`,
    `{"schemaVersion":1,"fsLayers":[],"history":[]}`,
  ],
  check(input) {
    for (const type of [undefined, "application/vnd.oci.image.index.v1+json"]) {
      const { value } = outcome(() => parseManifest(input, type));
      if (value?.kind === "index") ranked(value.value.manifests, parsePlatform("linux/amd64"));
      if (value?.kind === "manifest") artifactType(value.value);
      const parts =
        value?.kind === "manifest" ? [value.value.config, ...value.value.layers] : (value?.value.manifests ?? []);
      for (const { digest: one, size } of parts) {
        if (!/^sha(?:256|512):[0-9a-f]+$/.test(one) || !(size >= 0)) throw new Error("a descriptor that is none");
      }
    }
  },
};

export const configs: FuzzTarget = {
  name: "configs",
  sources: ["store/oci/"],
  tokens: [...json, ...fields, `"${digest}"`, '"linux"', '"amd64"', '"a=b"', '"80/tcp":{}'],
  seeds: [
    `{"architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Cmd":["x"],"Labels":{"a":"b"},"ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},"Healthcheck":{"Test":["CMD","a"],"Interval":1}},"rootfs":{"type":"layers","diff_ids":["${digest}"]},"history":[{"created":"2020-01-01T00:00:00Z","created_by":"x","empty_layer":true}]}`,
    `{"os":"","rootfs":{"diff_ids":null},"config":{"Cmd":"sh","Labels":{"a":null},"Env":[null],"Volumes":{"/v":null}},"history":[null]}`,
  ],
  check(input) {
    const { value } = outcome(() => parseConfig(input));
    const problem = value === undefined ? undefined : configProblem(value);
    if (problem !== undefined) throw new Error(problem);
  },
};

const keys = (
  "registryMirrors insecureRegistries registryTimeout root platform pull checkOwn userns network progress cdiSpecDirs " +
  "version id started context tags steps slot name outcome causes"
).split(" ");

/** Files that users and programs of the host write. */
export const settings: FuzzTarget = {
  name: "settings",
  sources: ["builder/cli/config/settings.ts", "builder/solve/record/record.ts"],
  tokens: [...json, ...keys.map((key) => `"${key}":`), '"http://h"', '"1m30s"', '"always"'],
  seeds: [
    '{"registryMirrors":{"docker.io":["http://h"]},"insecureRegistries":["h:1"],"pull":"always","registryTimeout":"2m"}',
    '{"root":"/a","progress":"plain","platform":"linux/amd64","network":"none","checkOwn":"error","cdiSpecDirs":["/c"]}',
    '{"version":1,"id":"a","started":1,"context":"/c","tags":[],"steps":[{"slot":"s","name":"n","outcome":"ran","causes":[]}]}',
  ],
  check(input) {
    const text = input.toString("utf8");
    outcome(() => parseSettings(text, "tsbuild.json", true));
    outcome(() => parseSettings(text, "tsbuild.json", false));
    const { value } = outcome((): unknown => JSON.parse(text), SyntaxError);
    if (value !== undefined) outcome(() => parseBuildRecord(value));
  },
};

export const yaml: FuzzTarget = {
  name: "yaml",
  sources: ["builder/inputs/cdi/"],
  tokens: [
    ...json,
    "a: ",
    "- ",
    "\n",
    "  ",
    "    ",
    "'",
    "#",
    "---\n",
    "cdiVersion: ",
    "kind: v.com/c\n",
    "devices:\n",
    "name: ",
    "containerEdits:\n",
    "env:\n",
    "deviceNodes:\n",
    "path: /dev/x\n",
    "0666",
    "~",
    "&a",
    "|",
  ],
  seeds: [
    "cdiVersion: 0.6.0\nkind: vendor.com/class\ndevices:\n- name: a\n  containerEdits:\n    env: [A=b]\n    deviceNodes:\n    - path: /dev/x\n      type: c\n",
    '{"cdiVersion":"0.6.0","kind":"a.b/c","devices":[{"name":"x","containerEdits":{"mounts":[{"hostPath":"/a","containerPath":"/b"}]}}]}',
    'a: "x\\n"\nb: [1, {c: d}]\n',
  ],
  check(input) {
    const text = input.toString("utf8");
    const { value } = outcome(() => parseYaml(text), YamlError);
    if (value !== undefined) outcome(() => parseSpec(value, "a.yaml"), SpecError);
    const plain = outcome((): unknown => JSON.parse(text), SyntaxError);
    // JSON is YAML, but for what of it this reader refuses, and for numbers that no specification has.
    if (plain.value !== undefined && value !== undefined && !/[\n\r\t]|e[+-]?\d|-0|\d{15}/i.test(text))
      same("as JSON", value, plain.value);
  },
};
