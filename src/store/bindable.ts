import { assert } from '../core/errors.ts'

/** What may stand for a parameter of a statement. */
export type Bindable = null | number | bigint | string | Uint8Array

/**
 * Stops anything that is not a value before a driver makes something else of it: node:sqlite takes a plain object in the
 * first place for named parameters and shifts the rest without a word, pg turns dates and objects into text.
 */
export function bindable(parameters: readonly unknown[]): Bindable[] {
  for (const value of parameters) {
    const isValue =
      value === null ||
      typeof value === 'string' ||
      typeof value === 'bigint' ||
      (typeof value === 'number' && !Number.isNaN(value)) ||
      value instanceof Uint8Array
    assert(isValue, `a ${typeof value} cannot be bound to a statement`)
  }
  return parameters as Bindable[]
}
