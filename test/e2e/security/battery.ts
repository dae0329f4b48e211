/** One check of battery.c: what was tried, and the name of the errno or "done". */
export interface BatteryLine {
  readonly name: string;
  readonly result: string;
}

/** The checks of a kind in the battery's output. */
export function batteryLines(output: string, kind: "call" | "file" | "left"): readonly BatteryLine[] {
  return output.split("\n").flatMap((line) => {
    const [have, name, result] = line.split(" ");
    return have === kind && name !== undefined && result !== undefined ? [{ name, result }] : [];
  });
}

/** Answers of a kernel that does not let it through, or that has not got the thing at all. */
const refusals = ["EPERM", "EACCES", "EROFS", "ENOENT", "ENXIO", "ENODEV", "ENODATA", "ENOSYS", "ENOTDIR"];

/** The dangerous system calls that were not refused. */
export function callsThrough(output: string): readonly BatteryLine[] {
  return batteryLines(output, "call").filter(
    ({ name, result }) => !["EPERM", "ENOSYS"].includes(result) && !ofItself(output, name),
  );
}

/** The files and devices that were opened. */
export function filesOpened(output: string): readonly BatteryLine[] {
  return batteryLines(output, "file").filter(
    ({ name, result }) => !refusals.includes(result) && !ofItself(output, name),
  );
}

/** Where the battery is PID 1, what it finds there is its own. */
function ofItself(output: string, name: string): boolean {
  return /^state pid 1$/m.test(output) && (name.includes("/proc/1/") || name.endsWith("-init"));
}
