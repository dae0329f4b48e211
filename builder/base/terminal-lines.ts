/** A line of a program's output as a terminal may have it. */
export interface TerminalLine {
  readonly text: string;
  /** A carriage return ended it: the next line was meant to be written over it. */
  readonly returned: boolean;
}

type State =
  | "text"
  /** Behind an escape. */
  | "escape"
  /** In the parameters of a control sequence. */
  | "sequence"
  /** In a string: a title, a link, what goes to the clipboard. It ends with its line at the latest. */
  | "string";

/** Characters of a line that comes in one piece. */
const defaultLongest = 1 << 16;
const longestParameters = 64;
const reset = "\u001b[0m";

/**
 * What a program printed, as lines that are safe on a terminal: text, tabs and colours (SGR), and no other control
 * character or sequence, wherever the chunks are cut. Each line ends without a colour. A lone carriage return ends a line.
 * @see ECMA-48, ctlseqs of xterm
 */
export class TerminalLines {
  readonly #decoder = new TextDecoder();
  readonly #longest: number;
  readonly #lines: TerminalLine[] = [];
  #line = "";
  #painted = false;
  #returning = false;
  #state: State = "text";
  #parameters = "";

  /** `longest`: a line with more characters becomes several. */
  constructor({ longest = defaultLongest }: { readonly longest?: number } = {}) {
    this.#longest = longest;
  }

  /** The lines that are complete with it. */
  push(data: Uint8Array | string): readonly TerminalLine[] {
    this.#read(typeof data === "string" ? data : this.#decoder.decode(data, { stream: true }));
    return this.#lines.splice(0);
  }

  /** What has come of a line that nothing ended. */
  end(): string {
    this.#returning = false;
    this.#state = "text";
    return this.#finished();
  }

  #read(text: string): void {
    for (let at = 0; at < text.length;) {
      if (this.#state === "text" && !this.#returning) {
        special.lastIndex = at;
        const next = special.exec(text)?.index ?? text.length;
        this.#append(text.slice(at, next));
        if (next === text.length) return;
        at = next;
      }
      this.#step(text.charCodeAt(at), text.charAt(at));
      at++;
    }
  }

  #step(code: number, char: string): void {
    if (this.#returning && this.#return(code)) return;
    if (code === 0x0a || code === 0x0d) this.#endOfLine(code);
    else if (this.#state === "text") this.#control(code, char);
    else if (code === 0x18 || code === 0x1a) this.#state = "text";
    else if (code === 0x1b) this.#state = "escape";
    else if (this.#state === "string") this.#inString(code);
    else if (code < 0x20 || code > 0x7e) this.#abandon(code, char);
    else if (this.#state === "escape") this.#behindEscape(code, char);
    else this.#inSequence(code, char);
  }

  /** What comes behind a carriage return; true if it belongs to it. */
  #return(code: number): boolean {
    if (code === 0x0d) return true;
    this.#returning = false;
    const text = this.#finished();
    if (code === 0x0a) this.#lines.push({ text, returned: false });
    else if (withoutColors(text) !== "") this.#lines.push({ text, returned: true });
    return code === 0x0a;
  }

  #endOfLine(code: number): void {
    this.#state = "text";
    if (code === 0x0d) this.#returning = true;
    else this.#lines.push({ text: this.#finished(), returned: false });
  }

  /** Any character where text is. */
  #control(code: number, char: string): void {
    if (code === 0x1b) this.#state = "escape";
    else if (code === 0x9b) this.#begin();
    else if (isString(code)) this.#state = "string";
    else if (code === 0x09 || (code >= 0x20 && (code < 0x7f || code > 0x9f))) this.#append(char);
  }

  #behindEscape(code: number, char: string): void {
    if (char === "[") this.#begin();
    else if (isString(code + 0x40)) this.#state = "string";
    else if (code >= 0x30) this.#state = "text"; // before it are intermediates: ESC ( B
  }

  #begin(): void {
    this.#state = "sequence";
    this.#parameters = "";
  }

  #inSequence(code: number, char: string): void {
    if (code < 0x40) {
      if (this.#parameters.length <= longestParameters) this.#parameters += char; // one more: then it is none
      return;
    }
    this.#state = "text";
    if (char !== "m" || !isPaint(this.#parameters)) return;
    this.#append("", `\u001b[${this.#parameters}m`);
    this.#painted = !/^0*$/.test(this.#parameters);
  }

  #inString(code: number): void {
    if (code === 0x07 || code === 0x9c) this.#state = "text";
  }

  /** No sequence has that character: it is text again, or the beginning of another sequence. */
  #abandon(code: number, char: string): void {
    this.#state = "text";
    this.#control(code, char);
  }

  #append(text: string, paint = ""): void {
    let rest = text;
    while (this.#line.length + rest.length > this.#longest) {
      const room = Math.max(0, this.#longest - this.#line.length);
      this.#line += rest.slice(0, room);
      this.#lines.push({ text: this.#finished(), returned: false });
      rest = rest.slice(room);
    }
    this.#line += rest + paint;
  }

  #finished(): string {
    const text = this.#painted ? this.#line + reset : this.#line;
    this.#line = "";
    this.#painted = false;
    return text;
  }
}

/** All that is not text where text is: control characters but the tab, of both sets. */
const special = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** DCS, SOS, OSC, PM and APC. */
function isString(code: number): boolean {
  return code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f);
}

/** Bounded numbers, and not 8: what is concealed is no text (and how Jenkins marks what it obeys). */
function isPaint(parameters: string): boolean {
  if (parameters.length > longestParameters || !/^(?:\d{0,3}[;:])*\d{0,3}$/.test(parameters)) return false;
  const codes = parameters.split(";");
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? "";
    if (/^0*8(?::|$)/.test(code)) return false;
    // Of a colour: 38;5;N or 38;2;R;G;B.
    if (code === "38" || code === "48") at += codes[at + 1] === "2" ? 4 : codes[at + 1] === "5" ? 2 : 0;
  }
  return true;
}

const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** A text that is whole as TerminalLines has it. */
export function terminalText(text: string): string {
  if (!unsafe.test(text)) return text;
  const lines = new TerminalLines({ longest: Infinity });
  const whole = lines.push(text).map((line) => `${line.text}\n`);
  return whole.join("") + lines.end();
}

/** A line of TerminalLines without its colours. */
export function withoutColors(line: string): string {
  return line.replaceAll(/\u001b\[[0-9;:]*m/g, "");
}
