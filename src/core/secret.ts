/**
 * Text that must not be seen: passphrases, tokens, keys of the API, private keys in PEM.
 *
 * Such a text is wrapped where it enters the program and taken out where it is used, and nowhere in between. Whatever prints
 * a value on the way, a log line, a message, JSON, a debugger or a crash, prints `[secret]`. `test/architecture.test.ts`
 * lists the files that take one out.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the call that needs it. What is made of it is the caller's to keep. */
  reveal(): string {
    return this.#text
  }

  /** Characters of the text. */
  get length(): number {
    return this.#text.length
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  /** What `util.inspect` shows, and with it the console and the report of an uncaught error. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return shown
  }
}

const shown = '[secret]'
