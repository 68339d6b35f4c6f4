/** `handfast roots`: on a device, fetches the roots that its hub has now, and tells the hub that they are kept. */
import type { Command } from 'commander'
import { printFields, printJson } from '../output.ts'

interface RootsOptions {
  readonly dir: string
  readonly json?: boolean
}

export function define(command: Command): void {
  command
    .requiredOption('--dir <dir>', 'folder that holds the credential of this device')
    .option('--json', 'print JSON')
    .action(async ({ dir, json }: RootsOptions) => {
      const { refreshRoots } = await import('../../device/refresh-roots.ts')
      const result = await refreshRoots(dir)
      if (json) {
        printJson(result)
        return
      }
      printFields([
        ['hub', result.host],
        ...result.roots.map((root) => ['root', result.added.includes(root) ? `${root} (new)` : root] as const),
        ...result.removed.map((root) => ['gone', root] as const),
      ])
    })
}
