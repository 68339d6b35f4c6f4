/** `handfast anchor …`: authorities of others whose certificates are taken. */
import type { Command } from 'commander'
import type { AddAnchorRequest, AnchorListView, AnchorView, EditAnchorRequest } from '../../api-schema/anchors.ts'
import { HubError, quote } from '../../core/errors.ts'
import { isAnchorId } from '../../core/identification/anchor.ts'
import { limits } from '../../core/limits.ts'
import { decodePem, encodePem } from '../../core/x509/pem.ts'
import { certificateIn, certificatesIn } from '../certificate-file.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { note, printFields, printJson, printLine, printTable, shortTime } from '../output.ts'
import { readSmallBytes } from '../whole-file.ts'
import { addSourceOptions, printFetches, type SourceOptions, sourceFields, sourcesOf } from './anchor/sources.ts'

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
  defineEdit(
    command
      .command('edit <id>')
      .description('change how revocations count, where word of them comes from, or who stands below it'),
  )
  defineFetch(command.command('fetch <id>').description('fetch its CRLs now, and say what became of that'))
  defineList(command.command('list').description('list trust anchors'))
  defineShow(command.command('show <id>').description('show a trust anchor, and what its proof must name'))
  defineDistrust(command.command('distrust <id>').description('let nobody in by it any more, and close its sessions'))
  defineRemove(command.command('remove <id>').description('remove one that waits or is distrusted'))
}

interface AddOptions extends SourceOptions {
  readonly unproven?: boolean
}

/** A chain of any length that is sent. */
const chainBytesMax = limits.keyFileCharsMax * 8

function defineAdd(command: Command): void {
  addSourceOptions(addHubOptions(command), false)
    .option('--unproven', 'trust it at once, although nobody has proved to hold its key')
    .addHelpText(
      'after',
      '\nThe file begins with the authority that is proved. Where it is no root, those above it follow in the same\nfile; and those below it that sign certificates of devices, too.',
    )
    .action(async (id: string, file: string, options: AddOptions) => {
      assertAnchorId(id)
      const { revocation = 'require', unproven = false } = options
      const certificates = certificatesIn(file, chainBytesMax)
      const sources = sourcesOf(options)
      const request: AddAnchorRequest = { id, revocation, isUnproven: unproven, certificates, sources }
      const view = await hubOf(options).post<AnchorView>('/anchors', request)
      if (options.json) return printJson(view)
      printLine(`the authority ${view.subject} is the trust anchor ${id} (${view.state})`)
      for (const { subject } of view.below) printLine(`below it: ${subject}`)
      if (view.state === 'waiting') noteProof(view)
      else note('It is trusted, and nobody has proved to hold its key.')
      noteRevocation(view)
      note('Its certificates open nothing until a rule of the policy and a listener name it.')
    })
}

/** @throws HubError `usage`: it is the id that is wrong, and not what stands in the file */
function assertAnchorId(id: string): void {
  if (isAnchorId(id)) return
  throw new HubError('usage', `${quote(id)} is no id of a trust anchor`, {
    hint: 'take lower-case letters, digits and "-", the first a letter, 32 at most, as in acme-factory-2',
  })
}

function pathOf(id: string): string {
  assertAnchorId(id)
  return `/anchors/${pathPart(id)}`
}

/** Where word of revocations is to come from, when nothing says so yet. */
function noteRevocation({ id, revocation, crl, sources }: AnchorView): void {
  if (revocation !== 'require' || crl !== null || sources.isByCertificates || sources.ocspUrl !== null) return
  const isFetched = sources.crlUrls.length > 0
  note(
    isFetched
      ? `Nobody comes in before its CRL is there; it is being fetched: \`${handfast} anchor show ${id}\``
      : `Nobody comes in before: \`${handfast} anchor crl ${id} <file>\`, or \`${handfast} anchor edit ${id} --crl-url <url>\``,
  )
}

interface EditOptions extends SourceOptions {
  readonly below?: string
}

function defineEdit(command: Command): void {
  addSourceOptions(addHubOptions(command), true)
    .option('--below <file>', 'the authorities below it from now on, PEM or DER; none for none')
    .action(async (id: string, options: EditOptions) => {
      const { revocation, below } = options
      const sources = sourcesOf(options)
      const request: EditAnchorRequest = {
        ...(revocation === undefined ? {} : { revocation }),
        ...(Object.keys(sources).length === 0 ? {} : { sources }),
        ...(below === undefined ? {} : { below: below === 'none' ? '' : certificatesIn(below, chainBytesMax) }),
      }
      if (Object.keys(request).length === 0) {
        throw new HubError('usage', 'nothing is to be changed', { hint: 'name an option: see --help' })
      }
      const view = await hubOf(options).post<AnchorView>(`${pathOf(id)}/edit`, request)
      if (options.json) return printJson(view)
      printLine(`the trust anchor ${id} is as it was said`)
      noteRevocation(view)
    })
}

function defineFetch(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).post<AnchorView>(`${pathOf(id)}/fetch`, {})
    if (options.json) printJson(view)
    else printFetches(view)
    const failed = view.fetches.filter(({ failure }) => failure !== null)
    if (failed.length === 0) return
    throw new HubError('status-fetch-failed', `${failed.length} of ${view.fetches.length} CRLs were not fetched`)
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
    const view = await hubOf(options).post<AnchorView>(`${pathOf(id)}/prove`, request)
    if (options.json) return printJson(view)
    printLine(`the trust anchor ${id} is proved and trusted`)
  })
}

function defineCrl(command: Command): void {
  addHubOptions(command).action(async (id: string, file: string, options: HubOptions) => {
    const view = await hubOf(options).post<AnchorView>(`${pathOf(id)}/crl`, { crl: crlIn(file) })
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
    const view = await hubOf(options).get<AnchorView>(`${pathOf(id)}`)
    if (options.json) return printJson(view)
    printFields([
      ['id', view.id],
      ['state', view.state],
      ['proved', view.isProven ? 'yes' : 'no'],
      ['subject', view.subject],
      ['fingerprint', view.fingerprint],
      ['good until', shortTime(view.notAfter)],
      ['revocation', view.revocation],
      ...sourceFields(view),
    ])
    printFetches(view)
    if (view.state === 'waiting') noteProof(view)
  })
}

function defineDistrust(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).post<AnchorView>(`${pathOf(id)}/distrust`, {})
    if (options.json) return printJson(view)
    printLine(`certificates of ${id} open nothing any more`)
  })
}

function defineRemove(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).post<AnchorView>(`${pathOf(id)}/remove`, {})
    if (options.json) return printJson(view)
    printLine(`the trust anchor ${id} is removed`)
  })
}
