import type { DatabaseSync } from 'node:sqlite'
import type { UnitTransaction } from '../group-commit.ts'

/** The transaction of the connection that writes. A full or failing disk ends it by itself. */
export function sqliteTransaction(database: DatabaseSync): UnitTransaction {
  return {
    begin: () => database.exec('begin immediate'),
    savepoint: () => database.exec('savepoint unit'),
    release: () => database.exec('release unit'),
    rollbackToSavepoint() {
      if (!database.isTransaction) return false
      database.exec('rollback to unit; release unit')
      return true
    },
    commit: () => database.exec('commit'),
    rollback() {
      try {
        if (database.isTransaction) database.exec('rollback')
      } catch {
        // The next BEGIN says what is wrong.
      }
    },
    recover: () => false,
  }
}
