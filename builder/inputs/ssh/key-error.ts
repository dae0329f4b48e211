/** Why a key cannot be used; the message goes behind `Cannot use the key FILE: `, FILE in the hint is its path. */
export class KeyError extends Error {
  override readonly name: string = "KeyError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The key needs a passphrase, and nobody is there to type it. */
export function passphraseError(): KeyError {
  return new KeyError("it is protected by a passphrase", "add it to an agent (ssh-add FILE) and give --ssh default");
}

/** Where only a look at the key itself can say more. */
export function damaged(): KeyError {
  return new KeyError("it is damaged");
}
