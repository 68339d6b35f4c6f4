/** `handfast ca csr` and `install`: an issuing authority below a root that is kept elsewhere. */
import type { Command } from 'commander'
import type { AuthorityListView, AuthorityRequestView } from '../../../api-schema/authority-views.ts'
import { type AuthorityKeyType, authorityKeyTypes } from '../../../core/x509/authority-key.ts'
import { certificateIn } from '../../certificate-file.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson } from '../../output.ts'
import { oneOf } from '../../values.ts'
import { writeWholeFile } from '../../whole-file.ts'
import { printAuthorities } from './list.ts'

interface CsrOptions extends HubOptions {
  readonly chain: string
  readonly keyType?: AuthorityKeyType
  readonly out?: string
  readonly force?: boolean
}

export function defineCsr(command: Command): void {
  addHubOptions(command)
    .requiredOption('--chain <name>', 'what the new chain will be called, as in company')
    .option(
      '--key-type <type>',
      `of the issuing authority: ${authorityKeyTypes.join(', ')}`,
      oneOf('--key-type', authorityKeyTypes),
    )
    .option('--out <file>', 'write the request there instead of printing it')
    .option('--force', 'replace the file that is there')
    .action(async ({ chain, keyType, out, force = false, ...options }: CsrOptions) => {
      const request = { chain, ...(keyType === undefined ? {} : { keyType }) }
      const view = await hubOf(options).post<AuthorityRequestView>('/authority-requests', request)
      if (out !== undefined) writeWholeFile(out, view.request, { mode: 0o644, force })
      if (options.json) return printJson(view)
      if (out === undefined) process.stdout.write(view.request)
      note('Have your root sign it as an authority with path length 0 and key usage keyCertSign and cRLSign, then:')
      note(`  npx handfast ca install --chain ${view.chain} --certificate <file> --root <file>`)
    })
}

interface InstallOptions extends HubOptions {
  readonly chain: string
  readonly certificate: string
  readonly root: string
}

export function defineInstall(command: Command): void {
  addHubOptions(command)
    .requiredOption('--chain <name>', 'that of the request')
    .requiredOption('--certificate <file>', 'what your root has signed, PEM or DER')
    .requiredOption('--root <file>', 'your root, PEM or DER')
    .action(async ({ chain, certificate, root, ...options }: InstallOptions) => {
      const request = { certificate: certificateIn(certificate), root: certificateIn(root) }
      const view = await hubOf(options).post<AuthorityListView>(
        `/authority-requests/${pathPart(chain)}/install`,
        request,
      )
      if (options.json) return printJson(view)
      printAuthorities(view.items)
      note(`Order from it with --chain ${chain}, or name it in a profile. The root stands in the ca.pem of the hub.`)
    })
}
