/** What the server itself throws, where it is told something: nothing here may stop for it, and nothing may hide it. */

/** Throws it where nobody of ours stands above it, as an error of a listener of events. */
export function surface(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Tells somebody who may throw. */
export function surfacing(tell: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      tell(error)
    } catch (thrown) {
      surface(thrown)
    }
  }
}
