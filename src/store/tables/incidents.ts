import { type Insertable, type Selectable, sql } from 'kysely'
import { assert } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Incident, IncidentReader, Incidents, NewIncident } from '../../hub/ports/incidents.ts'
import type { Access, IncidentTable } from '../schema.ts'
import { pageOf, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

export function incidentReader(access: Access): IncidentReader {
  return {
    async standing() {
      const rows = await access()
        .selectFrom('incidents')
        .selectAll()
        .where('ended_at_ms', 'is', null)
        .orderBy('number')
        .limit(limits.incidentsStandingMax)
        .execute()
      return rows.map(read)
    },
    async list(query) {
      let rows = access().selectFrom('incidents').selectAll().orderBy('number', 'desc').limit(rowsToRead(query))
      const { endedFromMs } = query
      if (endedFromMs !== undefined) {
        rows = rows.where((row) => row.or([row('ended_at_ms', 'is', null), row('ended_at_ms', '>=', endedFromMs)]))
      }
      if (query.after !== null) {
        const [number = 0] = readNumberCursor('incidents', query.after, 1)
        rows = rows.where('number', '<', number)
      }
      return pageOf(await rows.execute(), query, read, ({ number }) => writeCursor('incidents', String(number)))
    },
  }
}

export function incidents(access: Access): Incidents {
  return {
    ...incidentReader(access),
    async insert(incident) {
      await access().insertInto('incidents').values(rowOf(incident)).execute()
    },
    async update(incident) {
      const { examples: _examples, began_at_ms: _beganAtMs, ...changing } = rowOf(incident)
      await access().updateTable('incidents').set(changing).where('number', '=', incident.number).execute()
    },
    async keepNewest(ended) {
      assert(Number.isInteger(ended) && ended >= 0, 'keepNewest wants a whole number')
      const database = access()
      const newestToGo = database
        .selectFrom('incidents')
        .select('number')
        .where('ended_at_ms', 'is not', null)
        .orderBy('number', 'desc')
        .limit(1)
        .offset(ended)
      await database
        .deleteFrom('incidents')
        .where('ended_at_ms', 'is not', null)
        .where(sql<boolean>`number <= ${newestToGo}`)
        .execute()
    },
  }
}

function rowOf(incident: NewIncident): Insertable<IncidentTable> {
  return {
    listener: incident.listener,
    code: incident.code,
    issuer: incident.issuer ?? '',
    identities_count: incident.parties.identities,
    certificates_count: incident.parties.certificates,
    networks_count: incident.parties.networks,
    is_sudden: incident.isSudden ? 1 : 0,
    examples: JSON.stringify(incident.examples),
    began_at_ms: incident.beganAtMs,
    last_at_ms: incident.lastAtMs,
    ended_at_ms: incident.endedAtMs,
  }
}

function read(row: Selectable<IncidentTable>): Incident {
  return {
    number: row.number,
    listener: row.listener,
    code: row.code,
    issuer: row.issuer === '' ? null : row.issuer,
    parties: { identities: row.identities_count, certificates: row.certificates_count, networks: row.networks_count },
    isSudden: row.is_sudden === 1,
    examples: JSON.parse(row.examples),
    beganAtMs: row.began_at_ms,
    lastAtMs: row.last_at_ms,
    endedAtMs: row.ended_at_ms,
  }
}
