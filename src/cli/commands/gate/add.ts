/** `handfast gate add` and `gate token`: on the hub, what a gate on another machine needs for its first start. */
import type { Command } from 'commander'
import type { HubView } from '../../../api-schema/views.ts'
import { hostAndPort } from '../../addresses.ts'
import { handfast } from '../../how-called.ts'
import { note, shellWord } from '../../output.ts'
import { defineServerAdd, defineServerToken, type ServerWords } from '../../server-with-profile.ts'

/** Name of the profile that makes a service a gate. */
const profile = 'gate'

const words: ServerWords = {
  profile,
  users: 'devices',
  noun: 'gate',
  exampleName: 'gate-2.plant.example',
  registered: 'is registered as a gate',
  takenHint: (id) =>
    `choose another id; if it is a gate already, \`handfast gate token ${id}\` prints another string for it`,
  grantHint: (id) =>
    `it is no gate; \`handfast service set ${id} --profile ${profile}\` makes it one, with the names that it has`,
  async tellNext(hub) {
    const { gateLink, publicName } = await hub.get<HubView>('/hub')
    const link = gateLink === null ? '<its gate link>' : hostAndPort({ host: publicName, port: gateLink.port })
    note(
      `\nNext, on the machine of the gate, with the string in a file that nobody else may read:\n  ${handfast} gate --hub ${shellWord(link)} --bootstrap-file <file> --database-url-file <file>`,
    )
    if (gateLink === null) {
      note('\nThis hub has no gate link yet: start it with --gate-link, as in --gate-link 0.0.0.0:8447.')
    }
  },
}

export const defineAdd = (command: Command): void => defineServerAdd(command, words)
export const defineToken = (command: Command): void => defineServerToken(command, words)
