import type {
  ArgInstruction,
  CmdInstruction,
  EnvInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  MaintainerInstruction,
  OnbuildInstruction,
  ShellInstruction,
  WordInstruction,
  WordsInstruction,
} from "../../dockerfile/ast.ts";
import type { Healthcheck } from "../../../store/oci/config.ts";
import { durationText, quoteList } from "../go-text.ts";
import { addArgEnv, addConfigEnv, addEntries, addHistory, type StageState } from "../stage-state.ts";
import { expandIn, expandWordsIn, failAt, type DispatchInput } from "./context.ts";
import { parsePort } from "./ports.ts";
import { isSignal } from "./signal.ts";

/** Of three protocols. */
const allPorts = 3 << 16;

/** ENV: every word sees the environment before the instruction. */
export function dispatchEnv(input: DispatchInput<EnvInstruction>): void {
  const { state, instruction } = input;
  const pairs = instruction.pairs.map(({ key, value, location }) => ({
    key: expandIn(input, key, location),
    value: expandIn(input, value, location),
  }));
  addConfigEnv(state, pairs);
  addHistory(state, `ENV ${pairs.map(({ key, value }) => `${key}=${value}`).join(" ")}`, false);
}

/** ARG: several are evaluated one by one; --build-arg, then the default, then the global ARG of the name. */
export function dispatchArg(input: DispatchInput<ArgInstruction>): void {
  const { state, instruction, context } = input;
  const texts: string[] = [];
  for (const { key, value: raw, location } of instruction.args) {
    context.usedArgs.add(key);
    const given = context.buildArgs.get(key);
    const value = given ?? (raw === undefined ? context.globalArgs.get(key) : expandIn(input, raw, location));
    if (value !== undefined) addArgEnv(state, key, value);
    state.args = [...state.args, { key, value }];
    texts.push(value === undefined ? key : `${key}=${value}`);
  }
  addHistory(state, `ARG ${texts.join(" ")}`, false);
}

/** LABEL. */
export function dispatchLabel(input: DispatchInput<LabelInstruction>): void {
  const { state, instruction } = input;
  const pairs = instruction.pairs.map(
    ({ key, value, location }) => [expandIn(input, key, location), expandIn(input, value, location)] as const,
  );
  addEntries(state, "Labels", pairs);
  addHistory(state, `LABEL ${pairs.map(([key, value]) => `${key}=${value}`).join(" ")}`, false);
}

/** EXPOSE: ports are words after expansion; ranges are spread. History has them in the order of the words as text. */
export function dispatchExpose(input: DispatchInput<WordsInstruction>): void {
  const { state, instruction, context } = input;
  const words = instruction.words.toSorted((a, b) => (a.raw < b.raw ? -1 : a.raw > b.raw ? 1 : 0));
  const ports: string[] = [];
  for (const word of words) {
    const fail = (message: string): Error => failAt(context, word.location, { code: "E_EXPOSE", message });
    for (const text of expandWordsIn(input, word)) ports.push(...parsePort(text, fail));
    if (ports.length > allPorts) throw fail("Cannot expose more ports than there are");
  }
  addEntries(
    state,
    "ExposedPorts",
    ports.map((port) => [port, {}] as const),
  );
  addHistory(state, `EXPOSE [${ports.join(" ")}]`, false);
}

/** VOLUME. */
export function dispatchVolume(input: DispatchInput<WordsInstruction>): void {
  const { state, instruction, context } = input;
  const volumes = instruction.words.map((word) => {
    const volume = expandIn(input, word.raw, word.location);
    if (volume === "") {
      throw failAt(context, word.location, {
        code: "E_VOLUME_EMPTY",
        message: "Cannot declare a volume: its path is empty",
      });
    }
    return volume;
  });
  addEntries(
    state,
    "Volumes",
    volumes.map((volume) => [volume, {}] as const),
  );
  addHistory(state, `VOLUME [${volumes.join(" ")}]`, false);
}

/** USER. */
export function dispatchUser(input: DispatchInput<WordInstruction>): void {
  const { state, instruction } = input;
  const user = expandIn(input, instruction.word.raw, instruction.word.location);
  state.config.User = user;
  addHistory(state, `USER ${user}`, false);
}

/** STOPSIGNAL. */
export function dispatchStopSignal(input: DispatchInput<WordInstruction>): void {
  const { state, instruction, context } = input;
  const signal = expandIn(input, instruction.word.raw, instruction.word.location);
  if (!isSignal(signal)) {
    throw failAt(context, instruction.word.location, {
      code: "E_SIGNAL_INVALID",
      message: `Cannot set the stop signal: ${JSON.stringify(signal)} is not a signal`,
      hint: "a name such as SIGTERM or a number such as 9",
    });
  }
  state.config.StopSignal = signal;
  addHistory(state, `STOPSIGNAL ${signal}`, false);
}

/** SHELL. */
export function dispatchShell(input: DispatchInput<ShellInstruction>): void {
  const { state, instruction } = input;
  state.config.Shell = instruction.shell;
  addHistory(state, `SHELL [${instruction.shell.join(" ")}]`, false);
}

/** The words of a command in the stage's shell, or as they are in exec form. */
export function shellWords(state: StageState, command: CmdInstruction["command"]): readonly string[] {
  if (command.form === "exec") return command.args;
  const shell = state.config.Shell ?? [];
  return [...(shell.length > 0 ? shell : ["/bin/sh", "-c"]), command.text];
}

/** CMD. */
export function dispatchCmd(input: DispatchInput<CmdInstruction>): void {
  const { state, instruction } = input;
  const args = shellWords(state, instruction.command);
  state.config.Cmd = args;
  state.config.ArgsEscaped = true;
  state.cmdSet = true;
  addHistory(state, `CMD ${quoteList(args)}`, false);
}

/** ENTRYPOINT: an inherited CMD does not survive it, one of this stage does. */
export function dispatchEntrypoint(input: DispatchInput<CmdInstruction>): void {
  const { state, instruction } = input;
  const args = shellWords(state, instruction.command);
  state.config.Entrypoint = args;
  if (!state.cmdSet) delete state.config.Cmd;
  addHistory(state, `ENTRYPOINT ${quoteList(args)}`, false);
}

/** HEALTHCHECK. */
export function dispatchHealthcheck(input: DispatchInput<HealthcheckInstruction>): void {
  const { state, instruction } = input;
  const { test, interval, timeout, startPeriod, startInterval, retries } = instruction;
  state.config.Healthcheck = {
    Test: healthTest(test),
    ...(interval === undefined ? {} : { Interval: interval }),
    ...(timeout === undefined ? {} : { Timeout: timeout }),
    ...(startPeriod === undefined ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === undefined ? {} : { StartInterval: startInterval }),
    ...(retries === undefined ? {} : { Retries: retries }),
  };
  addHistory(state, `HEALTHCHECK ${healthText(state.config.Healthcheck)}`, false);
}

/** As Go prints the structure with %+v. */
function healthText(health: Healthcheck): string {
  const { Test = [], Retries = 0, ...times } = health;
  const fields = (["Interval", "Timeout", "StartPeriod", "StartInterval"] as const).map(
    (name) => `${name}:${durationText(times[name] ?? 0)}`,
  );
  return `{${[`Test:[${Test.join(" ")}]`, ...fields, `Retries:${Retries}`].join(" ")}}`;
}

function healthTest(test: HealthcheckInstruction["test"]): readonly string[] {
  if (test.form === "none") return ["NONE"];
  return test.form === "exec" ? ["CMD", ...test.args] : ["CMD-SHELL", test.text];
}

/** ONBUILD: kept as text for the images built from this one. */
export function dispatchOnbuild(input: DispatchInput<OnbuildInstruction>): void {
  const { state, instruction } = input;
  state.config.OnBuild = [...(state.config.OnBuild ?? []), instruction.trigger];
}

/** MAINTAINER: as it stands, quotes and all. */
export function dispatchMaintainer({ state, instruction }: DispatchInput<MaintainerInstruction>): void {
  state.author = instruction.name;
  addHistory(state, `MAINTAINER ${instruction.name}`, false);
}
