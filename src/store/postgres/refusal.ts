/** Why a database cannot be used at all, as an operator reads it. */
import { HubError } from '../../core/errors.ts'
import type { DatabaseAddress } from './address.ts'
import { sqlState } from './errors.ts'

/** @param error what the driver or the server said at the first contact */
export function refusalOf(error: unknown, { place }: DatabaseAddress): HubError {
  const said = error instanceof Error ? error.message : String(error)
  const options = { cause: error }
  switch (sqlState(error)) {
    case '28P01':
    case '28000':
      return new HubError('database-unreachable', `${place} refuses the user: ${said}`, {
        hint: 'check user and password in the database URL, and pg_hba.conf of the server',
        ...options,
      })
    case '3D000':
      return new HubError('database-unreachable', `${place}: ${said}`, {
        hint: 'make the database with createdb, or name another in the database URL',
        ...options,
      })
    case '42501':
      return new HubError('database-unusable', `the user of ${place} may not make tables: ${said}`, {
        hint: 'make that user the owner of the database',
        ...options,
      })
    default:
      return new HubError('database-unreachable', `${place} cannot be reached: ${said}`, options)
  }
}
