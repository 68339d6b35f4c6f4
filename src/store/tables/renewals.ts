import type { RenewalReader, RenewalScope, Renewals } from '../../hub/ports/renewals.ts'
import type { Access } from '../schema.ts'
import { assertPage } from './page.ts'

export function renewalReader(access: Access): RenewalReader {
  return {
    async contestsOf(id, limit) {
      assertPage(limit)
      const rows = await access()
        .selectFrom('renewal_contests')
        .selectAll()
        .where('identity_id', '=', id)
        .orderBy('number', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        identityId: row.identity_id,
        parentSerial: row.parent_serial,
        rivalSerial: row.rival_serial,
        serialNumber: row.serial_number,
        atMs: row.at_ms,
      }))
    },
    async contestsSince(atMs) {
      const { count } = await access()
        .selectFrom('renewal_contests')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('at_ms', '>=', atMs)
        .executeTakeFirstOrThrow()
      return count
    },
    async calledAtMs(scopes) {
      const { at_ms: atMs } = await access()
        .selectFrom('renewal_calls')
        .select(({ fn }) => fn.max('at_ms').as('at_ms'))
        .where('scope', 'in', scopes.map(nameOf))
        .executeTakeFirstOrThrow()
      return atMs
    },
  }
}

export function renewals(access: Access): Renewals {
  return {
    ...renewalReader(access),
    async insertContest({ identityId, parentSerial, rivalSerial, serialNumber, atMs }) {
      await access()
        .insertInto('renewal_contests')
        .values({
          identity_id: identityId,
          parent_serial: parentSerial,
          rival_serial: rivalSerial,
          serial_number: serialNumber,
          at_ms: atMs,
        })
        .execute()
    },
    async call(scope, atMs) {
      await access()
        .insertInto('renewal_calls')
        .values({ scope: nameOf(scope), at_ms: atMs })
        .onConflict((conflict) => conflict.column('scope').doUpdateSet({ at_ms: atMs }))
        .execute()
    },
  }
}

function nameOf(scope: RenewalScope): string {
  switch (scope.kind) {
    case 'identity':
      return `identity ${scope.id}`
    case 'group':
      return `group ${scope.group}`
    case 'authority':
      return `authority ${scope.authorityId}`
  }
}
