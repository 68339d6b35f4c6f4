/** Writes docs/failures.md from the catalogue of failures. */
import { type FailureName, failure, failureNames } from '../src/core/failure/catalogue.ts'
import type { Stage } from '../src/core/failure/failure.ts'
import { tlsAlerts } from '../src/core/failure/tls-alerts.ts'
import { wireForms } from '../src/core/failure/wire-forms.ts'
import { exitStatuses } from './exit-status-meanings.ts'

/** The stages in the order of a connection, then what is none of one. */
const stageTitles: Readonly<Record<Stage, string>> = {
  dns: 'The name of the hub',
  tcp: 'The TCP connection',
  tls: 'The TLS handshake',
  certificate: 'The certificate, or the password',
  identity: 'The identity',
  policy: 'The policy',
  mqtt: 'MQTT',
  session: 'The session',
  enrolment: 'Enrolment, renewal and the device side',
  api: 'The command line and the API',
  hub: 'The hub itself',
}

/** docs/failures.md: every failure by the stage that it belongs to. */
export function failuresPage(): string {
  const sections = Object.entries(stageTitles).flatMap(([stage, title]) => {
    const names = failureNames.filter((name) => failure(name).stage === stage)
    return names.length === 0 ? [] : [`## ${title}\n\n${failuresTable(names)}`]
  })
  const statuses = exitStatuses.map(([status, meaning]) => `| ${status} | ${meaning} |`)
  return `# Failures

Everything that refuses, rejects or gives up names one of these failures: the command line, \`handfast attempts\`, the API,
the EST answers and, where a client may know it, the Reason String of MQTT 5. An id never changes its meaning, and two causes
never share one.

How much a refused client is told depends on what it proved. Whoever shows no certificate of this hub reads one general
sentence; the holder of a revoked or disabled one reads that word; everyone else reads the cause. The operator always
reads everything: \`handfast attempts --failed\`.

The sections are the stages of a connection in their order, then what is no connection. "Whose" says who can mend it. "Standard" is
the clause that says what should have been. The last column is how the failure shows on each wire: CONNACK code of MQTT 3.1.1 /
reason code of MQTT 5 / HTTP status of the API and of EST / exit status of the command line, and the TLS alert by which a peer says
the same in the handshake, where there is one. (The hub judges a client after the handshake, to be able to say more than an alert.)

${sections.join('\n\n')}

## Exit statuses

| status | meaning |
| --- | --- |
${statuses.join('\n')}

This page is written by \`node scripts/write-reference-pages.ts\` from \`src/core/failure\`.
`
}

function failuresTable(names: readonly FailureName[]): string {
  const rows = names.map((name) => {
    const { id, owner, kind, cause, cure, clause, alert } = failure(name)
    const { connackV3, reasonV5, http, exit } = wireForms[kind]
    const wire = `${connackV3} / 0x${reasonV5.toString(16)} / ${http} / ${exit}`
    const alerted = alert === null ? wire : `${wire}; alert ${alert} ${tlsAlerts[alert]}`
    return `| ${id} | \`${name}\` | ${owner} | ${sentence(cause)} | ${sentence(cure)} | ${clause ?? ''} | ${alerted} |`
  })
  const head =
    '| id | name | whose | what happened | what to do | standard | wires |\n| --- | --- | --- | --- | --- | --- | --- |'
  return `${head}\n${rows.join('\n')}`
}

function sentence(text: string): string {
  return text.replaceAll('|', '\\|')
}
