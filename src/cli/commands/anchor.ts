/** `handfast anchor …`: authorities of others whose certificates are taken. */
import type { Command } from 'commander'
import type { AddAnchorRequest, AnchorListView, AnchorView } from '../../api-schema/anchors.ts'
import { HubError, quote } from '../../core/errors.ts'
import { type RevocationBehaviour, revocationBehaviours } from '../../core/identification/anchor.ts'
import { limits } from '../../core/limits.ts'
import { decodePem, encodePem } from '../../core/x509/pem.ts'
import { certificateIn } from '../certificate-file.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { note, printFields, printJson, printLine, printTable, shortTime } from '../output.ts'
import { oneOf } from '../values.ts'
import { readSmallBytes } from '../whole-file.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineAdd(
    command.command('add <id> <file>').description("add somebody else's authority; it counts once it is proved"),
  )
  defineProve(
    command.command('prove <id> <file>').description('prove that its key is held, by a certificate for its code'),
  )
  defineCrl(command.command('crl <id> <file>').description('give its latest CRL; sessions of those it names close'))
  defineList(command.command('list').description('list trust anchors'))
  defineShow(command.command('show <id>').description('show a trust anchor, and what its proof must name'))
  defineDistrust(command.command('distrust <id>').description('let nobody in by it any more, and close its sessions'))
  defineRemove(command.command('remove <id>').description('remove one that waits or is distrusted'))
}

interface AddOptions extends HubOptions {
  readonly revocation: RevocationBehaviour
  readonly unproven?: boolean
}

function defineAdd(command: Command): void {
  addHubOptions(command)
    .option(
      '--revocation <behaviour>',
      'require: nobody comes in without a CRL in date; prefer: whom its latest CRL names stays out; ignore: CRLs do not count',
      oneOf('--revocation', revocationBehaviours),
      'require',
    )
    .option('--unproven', 'trust it at once, although nobody has proved to hold its key')
    .addHelpText(
      'after',
      '\nThe file begins with the authority that signs the certificates of devices. Where it is no root, those\nabove it follow in the same file, the root last.',
    )
    .action(async (id: string, file: string, { revocation, unproven = false, ...options }: AddOptions) => {
      const certificates = readSmallBytes(file, limits.keyFileCharsMax * 4)
      const request: AddAnchorRequest = {
        ...{ id, revocation, isUnproven: unproven },
        certificates: certificates[0] === 0x30 ? encodePem('CERTIFICATE', certificates) : certificates.toString('utf8'),
      }
      const view = await hubOf(options).post<AnchorView>('/anchors', request)
      if (options.json) return printJson(view)
      printLine(`the authority ${view.subject} is the trust anchor ${id} (${view.state})`)
      if (view.state === 'waiting') noteProof(view)
      else note('It is trusted, and nobody has proved to hold its key.')
      if (revocation === 'require') note(`Nobody comes in before: \`${handfast} anchor crl ${id} <file>\``)
      note('Its certificates open nothing until a rule of the policy and a listener name it.')
    })
}

function noteProof({ id, code }: AnchorView): void {
  // Whoever pipes this needs the code as well.
  printLine(`code: ${code}`)
  note(`Have it sign a certificate whose common name is that code, then: \`${handfast} anchor prove ${id} <file>\``)
}

function defineProve(command: Command): void {
  addHubOptions(command).action(async (id: string, file: string, options: HubOptions) => {
    const request = { certificate: certificateIn(file) }
    const view = await hubOf(options).post<AnchorView>(`/anchors/${pathPart(id)}/prove`, request)
    if (options.json) return printJson(view)
    printLine(`the trust anchor ${id} is proved and trusted`)
  })
}

function defineCrl(command: Command): void {
  addHubOptions(command).action(async (id: string, file: string, options: HubOptions) => {
    const view = await hubOf(options).post<AnchorView>(`/anchors/${pathPart(id)}/crl`, { crl: crlIn(file) })
    if (options.json) return printJson(view)
    const due = view.crl === null ? '' : `; the next one is due ${shortTime(view.crl.nextUpdate)}`
    printLine(`the CRL of ${id} is taken${due}`)
  })
}

/** A CRL in PEM, whatever the file holds. @throws HubError `usage` */
function crlIn(file: string): string {
  const bytes = readSmallBytes(file, limits.anchorCrlBytesMax)
  if (bytes[0] === 0x30) return encodePem('X509 CRL', bytes)
  const text = bytes.toString('utf8')
  if (decodePem(text, 'anchor-crl-unfit').some(({ label }) => label === 'X509 CRL')) return text
  throw new HubError('usage', `the file ${quote(file)} holds no CRL`, { hint: 'name a CRL, PEM or DER' })
}

function defineList(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const { items } = await hubOf(options).get<AnchorListView>('/anchors')
    if (options.json) return printJson(items)
    if (items.length === 0) return printLine('there is no trust anchor: certificates of this hub alone are taken')
    printTable(
      ['ID', 'STATE', 'PROVED', 'SUBJECT', 'GOOD UNTIL', 'REVOCATION', 'NEXT CRL'],
      items.map((each) => [
        ...[each.id, each.state, each.isProven ? 'yes' : 'no', each.subject, shortTime(each.notAfter)],
        ...[each.revocation, each.crl === null ? '-' : shortTime(each.crl.nextUpdate)],
      ]),
    )
  })
}

function defineShow(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).get<AnchorView>(`/anchors/${pathPart(id)}`)
    if (options.json) return printJson(view)
    printFields([
      ['id', view.id],
      ['state', view.state],
      ['proved', view.isProven ? 'yes' : 'no'],
      ['subject', view.subject],
      ['fingerprint', view.fingerprint],
      ['good until', shortTime(view.notAfter)],
      ['revocation', view.revocation],
      ['next CRL', view.crl === null ? 'none was given' : shortTime(view.crl.nextUpdate)],
    ])
    if (view.state === 'waiting') noteProof(view)
  })
}

function defineDistrust(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).post<AnchorView>(`/anchors/${pathPart(id)}/distrust`, {})
    if (options.json) return printJson(view)
    printLine(`certificates of ${id} open nothing any more`)
  })
}

function defineRemove(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).post<AnchorView>(`/anchors/${pathPart(id)}/remove`, {})
    if (options.json) return printJson(view)
    printLine(`the trust anchor ${id} is removed`)
  })
}
