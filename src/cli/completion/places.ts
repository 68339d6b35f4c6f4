/** Where on the line of a command values stand. */
import type { CommandNode, ValueNode } from '../command-tree.ts'

export interface PlaceOfValue {
  /** The name of an option, or the position of a parameter, counted from 0. */
  readonly place: string
  readonly value: ValueNode
  /** The value of a parameter that takes all that follow, too. */
  readonly isVariadic: boolean
}

export function placesOfValues({
  options,
  parameters,
}: Pick<CommandNode, 'options' | 'parameters'>): readonly PlaceOfValue[] {
  const ofOptions = options.flatMap(({ names, value }) =>
    value === null ? [] : names.map((place) => ({ place, value, isVariadic: false })),
  )
  const ofParameters = parameters.map(({ value, isVariadic }, position) => ({
    place: String(position),
    value,
    isVariadic,
  }))
  return [...ofOptions, ...ofParameters]
}
