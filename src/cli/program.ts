/** All commands by name. The file of a command is loaded only when its name stands on the command line. */
import { Command } from 'commander'
import { version } from '../version.ts'

/** What the file of a command exports. */
export interface CommandModule {
  /** Adds arguments, options and action. */
  define(command: Command): void
}

interface CommandEntry {
  readonly summary: string
  load(): Promise<CommandModule>
}

const commands: Readonly<Record<string, CommandEntry>> = {
  up: { summary: 'start a hub in this terminal', load: () => import('./commands/up.ts') },
  device: { summary: 'register devices and change their state', load: () => import('./commands/device.ts') },
  pin: { summary: 'certificates that devices make themselves', load: () => import('./commands/pin.ts') },
  anchor: { summary: 'authorities of others whose certificates are taken', load: () => import('./commands/anchor.ts') },
  policy: { summary: 'who may do what with which topics', load: () => import('./commands/policy.ts') },
  profile: { summary: 'what certificates say and who decides it', load: () => import('./commands/profile.ts') },
  gate: { summary: 'gates on other machines', load: () => import('./commands/gate.ts') },
  verify: { summary: 'certificates on servers of your own', load: () => import('./commands/verify.ts') },
  service: { summary: 'brokers and other servers', load: () => import('./commands/service.ts') },
  user: { summary: 'people: their certificates and their roles', load: () => import('./commands/user.ts') },
  cert: { summary: 'order, list, show and revoke certificates', load: () => import('./commands/cert.ts') },
  convert: { summary: 'keys and certificates from one form to another', load: () => import('./commands/convert.ts') },
  enrol: {
    summary: 'on a device: get a certificate with a bootstrap string',
    load: () => import('./commands/enrol.ts'),
  },
  agent: {
    summary: 'on a device: renew its certificate, import one, connect programs that know nothing of it',
    load: () => import('./commands/agent.ts'),
  },
  roots: { summary: 'on a device: fetch the roots that its hub has now', load: () => import('./commands/roots.ts') },
  revoke: { summary: 'revoke a device or one certificate, now', load: () => import('./commands/revoke.ts') },
  ca: {
    summary: 'authorities, what they have issued, changing one for another',
    load: () => import('./commands/ca.ts'),
  },
  attempts: { summary: 'who tried to connect, and why it failed', load: () => import('./commands/attempts.ts') },
  incidents: { summary: 'what keeps several from connecting at once', load: () => import('./commands/incidents.ts') },
  doctor: {
    summary: 'why a device cannot get in, from files, an address or a log',
    load: () => import('./commands/doctor.ts'),
  },
  audit: { summary: 'who changed what', load: () => import('./commands/audit.ts') },
  password: {
    summary: 'passwords of identities, for clients without a certificate',
    load: () => import('./commands/password.ts'),
  },
  key: { summary: 'API keys with roles: make, list, remove', load: () => import('./commands/key.ts') },
  whoami: { summary: 'who this command line is to the hub', load: () => import('./commands/whoami.ts') },
  status: { summary: 'addresses and state of the running hub', load: () => import('./commands/status.ts') },
  simulate: { summary: 'run devices that enrol and send readings', load: () => import('./commands/simulate.ts') },
  backup: { summary: 'write a backup while the hub runs, or verify one', load: () => import('./commands/backup.ts') },
  restore: {
    summary: 'what a backup brings back, and putting it in place',
    load: () => import('./commands/restore.ts'),
  },
  adopt: {
    summary: 'after a restore: take what was issued since the backup',
    load: () => import('./commands/adopt.ts'),
  },
  check: { summary: 'whether the whole registry is consistent', load: () => import('./commands/check.ts') },
  journal: { summary: 'what the journal holds, and beginning another', load: () => import('./commands/journal.ts') },
  completion: { summary: 'let a shell complete commands and options', load: () => import('./commands/completion.ts') },
}

/** The program with every command loaded, for what describes it as a whole. */
export function buildWholeProgram(): Promise<Command> {
  return buildProgram(Object.keys(commands))
}

/** @param args what stands on the command line, to see which commands are asked for */
export async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('handfast')
  program
    .description('A self-hosted device identity hub for MQTT fleets.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showSuggestionAfterError()
    // What stands behind a command is for that, where one above it has an option of the same name.
    .enablePositionalOptions()
    .exitOverride()
    // Failures are reported in one form, by report-failure.ts.
    .configureOutput({ outputError: () => {} })
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 failed, 2 usage, 3 refused, 4 not found, 5 conflict,\n6 unavailable, 7 local.',
    )
  for (const [name, entry] of Object.entries(commands)) {
    const command = program.command(name).description(entry.summary)
    if (args.includes(name)) (await entry.load()).define(command)
  }
  return program
}

/** The command or subcommand that the line names, or the program itself. */
export function commandNamed(program: Command, args: readonly string[]): Command {
  let command = program
  for (const arg of args) {
    const next = command.commands.find((each) => each.name() === arg)
    if (next === undefined) break
    command = next
  }
  return command
}
