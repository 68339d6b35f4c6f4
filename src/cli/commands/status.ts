/** `handfast status`: the running hub. */
import type { Command } from 'commander'
import type { HubStatusView } from '../../api-schema/renewals.ts'
import { hostAndPort, publicAddresses } from '../addresses.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { printFields, printJson, shortTime } from '../output.ts'
import { amount } from '../summary.ts'

export function define(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const hub = await hubOf(options).get<HubStatusView>('/hub')
    if (options.json) return printJson(hub)
    const { api, publicName } = hub
    const apiUrl = api ? `https://${hostAndPort({ host: publicName, port: api.port })}` : ''
    const addresses = [
      ...publicAddresses(publicName, hub),
      ...(api ? [{ name: 'API', url: apiUrl, listens: api }] : []),
    ]
    const width = Math.max(...addresses.map(({ url }) => url.length))
    printFields([
      ['version', hub.version],
      ['public name', publicName],
      ['realm', hub.realm],
      ...addresses.map(({ name, url, listens }): [string, string] => [
        name,
        `${url.padEnd(width)}  listens on ${hostAndPort(listens)}`,
      ]),
      ['root', `sha256 ${hub.rootFingerprint}`],
      ['sessions', String(hub.sessions)],
      ...(hub.gateLink ? [['gate link', `listens on ${hostAndPort(hub.gateLink)}`] satisfies [string, string]] : []),
      ...hub.gates.map(({ id, address, sessions }): [string, string] => [
        `gate ${id}`,
        `linked from ${address}, ${amount(sessions, 'session')}`,
      ]),
      ...(hub.renewalsContested > 0
        ? [
            [
              'contested',
              `${hub.renewalsContested} renewals in seven days: ${handfast} attempts --cause renewal-contested`,
            ] satisfies [string, string],
          ]
        : []),
      ...(hub.incidents ?? []).map(({ sentence, beganAt }): [string, string] => [
        'incident',
        `${sentence} (since ${shortTime(beganAt)}: ${handfast} incidents)`,
      ]),
      ['broker', `${hub.upstream.kind}, ${hub.upstream.available ? 'available' : 'not available'}`],
    ])
  })
}
