/** From what was recognised to findings. */
import { quote } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import { type Certainty, type Finding, finding } from '../finding.ts'
import type { Sign } from './sign.ts'
import type { Cause, Side } from './symptom.ts'

const rank: readonly Certainty[] = ['certain', 'likely', 'possible']

/**
 * The findings of what was recognised in one place, each code once, the surest first.
 *
 * @param side whose log it is; null where nobody knows: then the causes of both sides are possible
 */
export function conclude(signs: readonly Sign[], side: Side | null, subject: string): readonly Finding[] {
  const found = signs.flatMap((sign) =>
    causesOf(sign, side).map((cause, index) => findingOf(sign, cause, subject, index === 0)),
  )
  const best = found.filter(
    (each, index) =>
      !found.some(
        (other, place) =>
          other.code === each.code &&
          (rank.indexOf(other.certainty) < rank.indexOf(each.certainty) ||
            (other.certainty === each.certainty && place < index)),
      ),
  )
  return best.toSorted((one, other) => rank.indexOf(one.certainty) - rank.indexOf(other.certainty))
}

interface Weighed extends Cause {
  readonly condition: string
}

function causesOf({ symptom }: Sign, side: Side | null): readonly Weighed[] {
  const { client, server } = symptom
  const plain = (causes: readonly Cause[]) => causes.map((cause) => ({ ...cause, condition: '' }))
  if (side === 'client' || client === server || server.length === 0) return plain(client)
  if (side === 'server' || client.length === 0) return plain(server)
  const either = (causes: readonly Cause[], condition: string) =>
    causes.map((cause) => ({ ...cause, certainty: 'possible' as const, condition }))
  return [...either(client, 'in the log of a device: '), ...either(server, 'in the log of a server: ')]
}

/** The first finding of a sign repeats the words, the others say what else they may mean. */
function findingOf(sign: Sign, cause: Weighed, subject: string, isFirst: boolean): Finding {
  const { code, certainty, look, condition } = cause
  const more = look === null ? '' : `; ${look}`
  const evidence = isFirst ? `${saidBy(sign)}${more}` : (look ?? failure(code).cause)
  return finding(code, subject, { certainty, evidence: `${condition}${evidence}` })
}

function saidBy({ source, quoted, symptom }: Sign): string {
  return quoted === '' ? `read as ${source}: ${symptom.meaning}` : `${source} says ${quote(quoted)}: ${symptom.meaning}`
}
