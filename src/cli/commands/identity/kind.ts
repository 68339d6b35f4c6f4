/** The two kinds of identity whose certificates operators order, as commands speak of them. */
export interface CommandKind {
  /** In commands: `handfast <word> add`. */
  readonly word: 'service' | 'user'
  /** In paths of the API, and in words. */
  readonly path: 'services' | 'users'
  /** As in "a service". */
  readonly article: string
}

export const service: CommandKind = { word: 'service', path: 'services', article: 'a service' }
export const user: CommandKind = { word: 'user', path: 'users', article: 'a person' }
