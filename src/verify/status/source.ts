/** Where it is known from whether a certificate was revoked. */
import type { Leaf } from '../leaf.ts'

export type Status = 'good' | 'revoked' | 'unknown'

export interface StatusSource {
  statusOf(leaf: Leaf, nowSec: number): Promise<Status>
  /** Calls whenever what was good may be revoked. */
  onChange(listener: () => void): void
  close(): void
}

/** Nothing is looked at: what is revoked is as good as any other. */
export const nowhere: StatusSource = { statusOf: async () => 'good', onChange() {}, close() {} }
