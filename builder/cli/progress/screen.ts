import { displayWidth } from "../base/text.ts";

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";

/** Puts frames over one another at the bottom of a terminal: only the lines that changed are written. */
export class Screen {
  #lines: readonly string[] = [];
  #width = 0;
  #hidden = false;

  /** The text that turns what is there into this frame. */
  paint(lines: readonly string[], width: number): string {
    const resized = this.#width !== 0 && this.#width !== width;
    const up = resized ? this.#lines.reduce((rows, line) => rows + rowsOf(line, width), 0) : this.#lines.length;
    const old = resized ? [] : this.#lines;
    let text = this.#hidden ? "" : hideCursor;
    if (up > 0) text += `\u001b[${up}A\r`;
    if (resized) text += "\u001b[J";
    lines.forEach((line, i) => {
      text += old[i] === line ? "\n" : `${line}\u001b[K\n`;
    });
    if (old.length > lines.length) text += "\u001b[J";
    this.#lines = lines;
    this.#width = width;
    this.#hidden = true;
    return text;
  }

  /** Leaves the last frame where it is and gives the cursor back. */
  leave(): string {
    const text = this.#hidden ? showCursor : "";
    this.#hidden = false;
    this.#lines = [];
    return text;
  }
}

function rowsOf(line: string, width: number): number {
  const bare = line.replace(/\u001b\[[0-9;]*m/g, "");
  return Math.max(1, Math.ceil(displayWidth(bare) / Math.max(1, width)));
}
