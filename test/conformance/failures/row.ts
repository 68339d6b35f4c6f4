/** One reason why a device cannot get in, and how real programs are made to meet it. */
import type { Bed, ClientName } from './bed.ts'

export interface Row {
  /** Its number among the reasons; a reason that shows in several ways has several rows with it. */
  readonly number: number
  readonly title: string
  /** The client that it is made with, where that may be missing; `root` where it takes another user. */
  readonly needs?: ClientName | 'root'
  /** Makes it happen and asserts what each side that can see it says. */
  run(bed: Bed): Promise<void>
}
