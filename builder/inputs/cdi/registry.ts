import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import { parseDeviceName, type DeviceName } from "./name.ts";
import { parseSpec, type CdiDevice, type CdiSpec } from "./spec.ts";
import { parseYaml } from "./yaml.ts";

/** Where specifications are looked for; of two devices with one name that of the later directory is taken. */
export const defaultCdiDirectories: readonly string[] = ["/etc/cdi", "/var/run/cdi", "/etc/buildkit/cdi"];

/** A device that a RUN asks for. */
export interface DeviceRequest {
  readonly name: string;
  readonly required: boolean;
}

/** A device and the file that describes it. */
export interface FoundDevice {
  /** `vendor.com/class=name`. */
  readonly name: string;
  readonly spec: CdiSpec;
  readonly device: CdiDevice;
}

const classAnnotation = "org.mobyproject.buildkit.device.class";
const allowAnnotation = "org.mobyproject.buildkit.device.autoallow";
/** Bytes of the largest file. */
const maxFile = 8 << 20;
/** Of YAML, which takes seconds for each MiB. */
const maxYaml = 1 << 20;

/** The devices of the CDI directories, as they were when it was made. */
export class CdiRegistry {
  readonly #devices: ReadonlyMap<string, FoundDevice>;
  /** What is wrong with files; told only when a device is missed. */
  readonly #problems: readonly string[];

  private constructor(devices: readonly FoundDevice[], problems: readonly string[]) {
    const sorted = devices.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#devices = new Map(sorted.map((device) => [device.name, device]));
    this.#problems = problems;
  }

  /** A directory that is not there has no devices; a file that cannot be read is left out. */
  static read(directories: readonly string[] = defaultCdiDirectories): CdiRegistry {
    const problems: string[] = [];
    const devices = new Map<string, FoundDevice>();
    for (const directory of directories)
      for (const one of readDirectory(directory, problems)) devices.set(one.name, one);
    return new CdiRegistry([...devices.values()], problems);
  }

  /** The devices that are meant, in the order of the requests. @throws E_DEVICE_NAME, E_DEVICE_NOT_FOUND */
  find(requests: readonly DeviceRequest[]): readonly FoundDevice[] {
    return [...new Set(requests.flatMap((request) => this.#resolve(request)))];
  }

  /** @throws E_DEVICE_NOT_FOUND */
  get(name: string): FoundDevice {
    const device = this.#devices.get(name);
    if (device === undefined) throw this.#missing(name);
    return device;
  }

  #resolve({ name, required }: DeviceRequest): readonly FoundDevice[] {
    const wanted = parseDeviceName(name);
    if (wanted === undefined) {
      throw new TsbuildError(`Cannot use the device ${JSON.stringify(name)}: that is no name of a device`, {
        code: "E_DEVICE_NAME",
        hint: "write vendor.com/class=name, vendor.com/class=* or vendor.com/class",
      });
    }
    const found = this.#meant(wanted);
    if (found.length === 0 && required) throw this.#missing(name);
    return found;
  }

  #meant({ kind, name }: DeviceName): readonly FoundDevice[] {
    const ofKind = [...this.#devices.values()].filter(({ spec }) => spec.kind === kind);
    if (name === "*") return ofKind;
    if (name === "") return ofKind.slice(0, 1);
    const exact = ofKind.filter(({ device }) => device.name === name);
    return exact.length > 0 ? exact : ofKind.filter((one) => annotation(one, classAnnotation) === name);
  }

  #missing(name: string): TsbuildError {
    return new TsbuildError(`Cannot use the device ${JSON.stringify(name)}: no CDI specification has it`, {
      code: "E_DEVICE_NOT_FOUND",
      notes: [...this.#problems, ...this.#known()],
      hint: `put its file into ${defaultCdiDirectories[0]}, or leave out required`,
    });
  }

  #known(): readonly string[] {
    const names = [...this.#devices.keys()];
    return names.length === 0
      ? []
      : [`devices are ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", ..." : ""}`];
  }
}

/** Whether who wrote the file lets every build have it. */
export function isAutoAllowed(found: FoundDevice): boolean {
  return ["1", "t", "T", "true", "TRUE", "True"].includes(annotation(found, allowAnnotation) ?? "");
}

function annotation({ spec, device }: FoundDevice, name: string): string | undefined {
  return device.annotations[name] ?? spec.annotations[name];
}

/** A name that two files of a directory have means none of them. */
function readDirectory(directory: string, problems: string[]): readonly FoundDevice[] {
  const devices = new Map<string, FoundDevice>();
  const conflicts = new Set<string>();
  for (const file of listFiles(directory)) {
    for (const one of readFile(join(directory, file), problems)) {
      const other = devices.get(one.name);
      if (other !== undefined) {
        conflicts.add(one.name);
        problems.push(`${one.name} is in ${other.spec.path} and in ${one.spec.path}`);
      }
      devices.set(one.name, one);
    }
  }
  return [...devices.values()].filter(({ name }) => !conflicts.has(name));
}

function listFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.(?:json|yaml)$/.test(name))
      .toSorted();
  } catch {
    return [];
  }
}

function readFile(path: string, problems: string[]): readonly FoundDevice[] {
  try {
    const text = readFileSync(path, "utf8");
    const most = path.endsWith(".json") ? maxFile : maxYaml;
    if (text.length > most) throw new Error(`it is larger than ${most >> 20} MiB`);
    const spec = parseSpec(path.endsWith(".json") ? JSON.parse(text) : parseYaml(text), path);
    return spec.devices.map((device) => ({ name: `${spec.kind}=${device.name}`, spec, device }));
  } catch (error) {
    problems.push(`${path}: ${errorMessage(error)}`);
    return [];
  }
}
