/** `handfast pin …`: certificates that devices make themselves, accepted by their thumbprint. */
import type { Command } from 'commander'
import type { AddPinRequest, PinListView, PinView } from '../../api-schema/pins.ts'
import { HubError, quote } from '../../core/errors.ts'
import { pinSlots } from '../../core/identity/proof.ts'
import { certificateIn } from '../certificate-file.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { note, printJson, printLine, printTable, shellWord, shortTime } from '../output.ts'
import { oneOf } from '../values.ts'

interface AddOptions extends HubOptions {
  readonly slot: (typeof pinSlots)[number]
  readonly ignoreDates?: boolean
  readonly replace?: boolean
}

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  addHubOptions(command.command('add <id> <file>').description('accept the certificate in a file as that device'))
    .option(
      '--slot <slot>',
      `${pinSlots.join(' or ')}: one is exchanged while the other works`,
      oneOf('--slot', pinSlots),
      'primary',
    )
    .option('--ignore-dates', 'accept it before and after its dates as well')
    .option('--replace', 'let what is in the slot go at once')
    .addHelpText('after', '\nThe key stays on the device: the file holds the certificate alone, PEM or DER.')
    .action(
      async (id: string, file: string, { slot, ignoreDates = false, replace = false, ...options }: AddOptions) => {
        const request: AddPinRequest = { certificate: certificateIn(file), slot, datesCount: !ignoreDates, replace }
        const view = await hubOf(options).post<PinView>(`/devices/${pathPart(id)}/pins`, request)
        if (options.json) return printJson(view)
        printLine(`${id} is let in with the certificate ${view.fingerprint} (${slot})`)
        if (view.datesCount) note(`It is good until ${shortTime(view.notAfter)}; its dates count.`)
        else note('Its dates do not count: it is good until it is removed.')
      },
    )
  addHubOptions(command.command('list <id>').description('list the pinned certificates of a device')).action(
    async (id: string, options: HubOptions) => {
      const { items } = await hubOf(options).get<PinListView>(`/devices/${pathPart(id)}/pins`)
      if (options.json) return printJson(items)
      if (items.length === 0) {
        printLine(`${id} has no pinned certificate`)
        return note(`Pin one: \`${handfast} pin add ${shellWord(id)} <file>\``)
      }
      printTable(
        ['SLOT', 'FINGERPRINT', 'SUBJECT', 'GOOD UNTIL', 'FIRST USED'],
        items.map((pin) => [
          ...[pin.slot, pin.fingerprint, pin.subject],
          pin.datesCount ? shortTime(pin.notAfter) : 'it is removed',
          pin.usedAt === null ? '-' : shortTime(pin.usedAt),
        ]),
      )
    },
  )
  addHubOptions(
    command.command('remove <id> <slot>').description('let a pinned certificate in no more, and close its sessions'),
  ).action(async (id: string, slot: string, options: HubOptions) => {
    if (!pinSlots.some((each) => each === slot)) {
      throw new HubError('usage', `${quote(slot)} is no slot`, { hint: `there are ${pinSlots.join(' and ')}` })
    }
    const view = await hubOf(options).post<PinView>(`/devices/${pathPart(id)}/pins/${slot}/remove`, {})
    if (options.json) return printJson(view)
    printLine(`the ${slot} certificate of ${id} opens nothing any more`)
  })
}
