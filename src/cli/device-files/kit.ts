/** All files of a folder: the credential, the examples, a README that says what they are, and a list of what is secret. */
import { resolve } from 'node:path'
import type { RandomOctets } from '../../core/key-file/pbes2.ts'
import { shellWord } from '../output.ts'
import { type CredentialContent, credentialFiles, type KitFile } from './credential-files.ts'
import { exampleFiles, type Server, serverValues } from './examples.ts'
import { type DevicePlatform, platformKits } from './platforms.ts'

/** How the key came here. */
export type Origin =
  | { readonly kind: 'made' }
  /** It was in a credential store, which others may renew. */
  | { readonly kind: 'store'; readonly path: string }
  | { readonly kind: 'files' }

export interface KitContent extends CredentialContent {
  readonly server: Server
  readonly origin: Origin
}

export interface Kit {
  /** What is replaced when the credential is another. */
  readonly credential: readonly KitFile[]
  /** What a person may have changed since. */
  readonly examples: readonly KitFile[]
}

/** @param out the folder, as the person named it */
export function deviceKit(platform: DevicePlatform, content: KitContent, out: string, random: RandomOctets): Kit {
  const credential = credentialFiles(platformKits[platform], content, random)
  const secret = credential.filter(({ mode }) => mode === 0o600).map(({ name }) => name)
  const ignored: KitFile = {
    name: '.gitignore',
    what: 'keeps the key out of version control',
    data: secret.map((name) => `/${name}\n`).join(''),
    mode: 0o644,
  }
  const hasPassphrase = secret.some((name) => name.endsWith('_pass.txt'))
  const values = {
    ...serverValues(content.id, content.server),
    KEY: keyText(content),
    UNTIL: content.chain[0].validToDate.toISOString().slice(0, 10),
    RENEWAL: renewalText(platform, content, out),
    PASS_OPTION: hasPassphrase ? ' -f private_key_pass.txt' : '',
    PASS_LINE: hasPassphrase
      ? '\n      <None Update="private_key_pass.txt"><CopyToOutputDirectory>Always</CopyToOutputDirectory></None>'
      : '',
  }
  const described = [...credential, ...platformKits[platform].examples.map(([name, what]) => ({ name, what }))]
  const table = described.map(({ name, what }) => `| \`${name}\` | ${what} |`).join('\n')
  const [readme, ...examples] = exampleFiles(platform, { ...values, FILES: table }).toReversed()
  return { credential: [...credential, ignored, ...(readme === undefined ? [] : [readme])], examples }
}

/** The first line of the README: what tells a folder of this command from any other. */
export function readmeTitle(platform: DevicePlatform, id: string): string {
  return `# ${id} on ${platformKits[platform].title}`
}

function keyText({ id, origin }: KitContent): string {
  const whose = {
    made: 'The key was made beside the operator, and is in this folder and nowhere else; the hub has never had it.',
    store:
      'The key is a copy of the one in a credential store: both are one device, and should not be connected under one client id at a time.',
    files: 'The key is a copy of the one that was brought.',
  }[origin.kind]
  return `${whose}
Whoever can read this folder can be this device: move it to the device by a safe way, and remove it elsewhere. If it is lost, revoke it:
\`handfast revoke ${id} --reason keyCompromise\`.`
}

function renewalText(platform: DevicePlatform, { id, origin }: KitContent, out: string): string {
  const base = `handfast device files ${id} --for ${platform}`
  const until = 'The certificate ends then. '
  if (origin.kind === 'store') {
    // Hooks run wherever the agent was started.
    const store = shellWord(resolve(origin.path))
    const command = `${base} --dir ${store} --out ${shellWord(resolve(out))} --force`
    return `${until}The agent of the store renews there, and this folder is written anew behind it, but for the examples, by

    handfast agent run --dir ${store} --on-renewed '${command.replaceAll("'", `'\\''`)}'

A copy that has not been written anew is good for a day more after the agent has used the new certificate.`
  }
  if (origin.kind === 'files') {
    return `${until}Bring a new key and certificate with \`${base} --cert … --key … --out ${shellWord(out)} --force\`.`
  }
  return `${until}Some days before, where the folder was made,

    ${base} --out ${shellWord(out)} --force

makes another key and another certificate in the place of these, and leaves the examples as they are. Put them on the device again: the
old certificate is good until the new one has been used, and a day longer. Where ten days are too short for that, give the device a
profile with a longer life (docs/profiles.md), and name it with \`--profile\`.`
}
