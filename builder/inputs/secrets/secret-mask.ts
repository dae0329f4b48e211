import { formsOf } from "./forms.ts";
import { MaskedStream } from "./masked-stream.ts";
import { NeedleSet } from "./needle-set.ts";

/** The values that no log may show. */
export class SecretMask {
  readonly #forms = new Map<string, Buffer>();
  /** Made when it is needed: several values may come before. */
  #set: NeedleSet | undefined;

  /** Masks a value from now on, in all its forms. */
  add(value: Uint8Array): void {
    for (const form of formsOf(value)) {
      const key = form.toString("latin1");
      if (this.#forms.has(key)) continue;
      this.#forms.set(key, form);
      this.#set = undefined;
    }
  }

  /** A stream's own filter: what is split over several writes is found too. */
  stream(): MaskedStream {
    return new MaskedStream(() => this.#current());
  }

  /** The text without secrets. */
  text(text: string): string {
    if (this.#forms.size === 0) return text;
    const stream = this.stream();
    return Buffer.concat([stream.push(Buffer.from(text)), stream.end()]).toString();
  }

  #current(): NeedleSet {
    return (this.#set ??= new NeedleSet([...this.#forms.values()]));
  }
}
