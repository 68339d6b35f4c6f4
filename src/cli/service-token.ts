/** Tokens that enrol a service for one profile, and what failures of the hub mean where they are asked for. */
import type { CreateTokenRequest } from '../api-schema/requests.ts'
import type { BootstrapView } from '../api-schema/views.ts'
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { type hubOf, pathPart } from './hub-options.ts'

export interface ServiceTokenOrder {
  readonly id: string
  readonly profile: string
  readonly ttlSec: number | undefined
}

export function serviceToken(hub: ReturnType<typeof hubOf>, order: ServiceTokenOrder): Promise<BootstrapView> {
  const { id, profile, ttlSec } = order
  const request: CreateTokenRequest = {
    tokenProfile: profile,
    ...(ttlSec === undefined ? {} : { tokenLifetimeSec: ttlSec }),
  }
  return hub.post<BootstrapView>(`/services/${pathPart(id)}/tokens`, request)
}

/** For `catch`: the same failure with another hint. */
export function hinted(hints: Partial<Record<FailureName, string>>): (error: unknown) => never {
  return (error) => {
    const hint = error instanceof HubError ? hints[error.code] : undefined
    if (!(error instanceof HubError) || hint === undefined) throw error
    throw new HubError(error.code, error.message, { hint, cause: error })
  }
}
