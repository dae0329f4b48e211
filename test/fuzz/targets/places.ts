import { DockerfileError } from "../../../builder/base/error.ts";
import type { SourceLocation } from "../../../builder/base/location.ts";

/** Checks that places are inside a Dockerfile's text. */
export class Places {
  readonly #lines: readonly string[];

  constructor(text: string) {
    this.#lines = text.split("\n");
  }

  /** @throws when an error has no place in the text */
  ofError(error: Error): void {
    if (!(error instanceof DockerfileError)) throw new Error("an error without a place", { cause: error });
    this.check(error.location);
  }

  /** Every `location`, `keyword` and `at` in a value. */
  everywhere(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    for (const [key, one] of Object.entries(value)) {
      if (isLocation(one)) this.check(one);
      else if (key !== "source") this.everywhere(one);
    }
  }

  check({ start, end }: SourceLocation): void {
    for (const { line, column } of [start, end]) {
      const text = this.#lines[line - 1];
      if (text === undefined || column < 1 || column > text.length + 1)
        throw new Error(`${line}:${column} is not in the text`);
    }
    if (start.line > end.line || (start.line === end.line && start.column > end.column))
      throw new Error(`${start.line}:${start.column} is after ${end.line}:${end.column}`);
  }
}

function isLocation(value: unknown): value is SourceLocation {
  return typeof value === "object" && value !== null && "start" in value && "end" in value && "file" in value;
}
