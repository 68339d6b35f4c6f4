/** `handfast completion`: a script that lets a shell complete commands, options and their values. */
import type { Command } from 'commander'
import { commandTree } from '../command-tree.ts'
import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { zshCompletion } from '../completion/zsh.ts'
import { printJson } from '../output.ts'
import { buildWholeProgram } from '../program.ts'
import { oneOf } from '../values.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

type Shell = keyof typeof scripts

const shells = Object.keys(scripts) as readonly Shell[]

export function define(command: Command): void {
  command
    .argument('<shell>', shells.join(', '), oneOf('shell', shells))
    .option('--json', 'print JSON')
    .addHelpText('after', wayIn)
    .action(async (shell: Shell, { json }: { readonly json?: boolean }) => {
      const script = scripts[shell](commandTree(await buildWholeProgram()))
      if (json) printJson({ shell, script })
      else process.stdout.write(script)
    })
}

const wayIn = `
To have it in every new shell:
  bash  handfast completion bash > /etc/bash_completion.d/handfast
        or in ~/.bashrc:  source <(handfast completion bash)
  zsh   in ~/.zshrc, after compinit:  source <(handfast completion zsh)
  fish  handfast completion fish > ~/.config/fish/completions/handfast.fish`
