/** `handfast status`: the running hub. */
import type { Command } from 'commander'
import type { HubView } from '../../api-schema/views.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { printFields, printJson } from '../output.ts'

export function define(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const hub = await hubOf(options).get<HubView>('/hub')
    if (options.json) return printJson(hub)
    printFields([
      ['version', hub.version],
      ['public name', hub.publicName],
      ['realm', hub.realm],
      ['MQTT', at(hub.mqtt)],
      ['HTTPS', at(hub.https)],
      ['HTTP', at(hub.http)],
      ['root', `sha256 ${hub.rootFingerprint}`],
      ['sessions', String(hub.sessions)],
      ['broker', `${hub.upstream.kind}, ${hub.upstream.available ? 'available' : 'not available'}`],
    ])
  })
}

function at({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
