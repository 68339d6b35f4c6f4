/** What an error of PostgreSQL or of the way to it means. */
import { CodingError, HubError } from '../../core/errors.ts'

/** The connection is gone, or the server will not serve it: what was asked may be asked again on another one. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/**
 * SQLSTATEs (PostgreSQL, appendix A) after which the same transaction may succeed: connection exceptions, serialisation
 * failure, deadlock, a lock that was not had in time, and a server that stops, starts or has no connection left.
 */
const passing = /^(?:08...|40001|40P01|55P03|53300|57P0[123]|57014|25P03)$/

const notAllowed = '42501'

/** Classes that say the statement itself is wrong or breaks a constraint: a mistake of ours. */
const ourMistakes = /^(?:21|22|23|42)/

export function sqlState(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !isErrno(code) ? code : ''
}

/** Node's own codes have five letters too: EPIPE. */
function isErrno(code: string): boolean {
  return /^E[A-Z]+$/.test(code)
}

/** True where another try may succeed. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true
  const state = sqlState(error)
  // An error without an SQLSTATE did not come from the server: it is about the connection.
  return state === '' ? !(error instanceof CodingError) : passing.test(state)
}

/** The error as the rest of the house knows it. */
export function storeError(error: unknown): unknown {
  if (error instanceof CodingError || error instanceof HubError) return error
  if (sqlState(error) === notAllowed) {
    // Rights that were taken away meanwhile, or never given: for the operator of the database, not a mistake of ours.
    return new HubError('store-unavailable', `the user of the database may not do this: ${(error as Error).message}`, {
      hint: 'give it its rights back; for gates on other machines, run what handfast gate sql prints',
      cause: error,
    })
  }
  if (error instanceof Error && ourMistakes.test(sqlState(error))) {
    return new CodingError(`a statement was refused: ${error.message}`, { cause: error })
  }
  return new HubError('store-unavailable', 'the database cannot be asked now', { cause: error })
}
