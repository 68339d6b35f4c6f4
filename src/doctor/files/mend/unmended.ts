/** What `--fix` leaves for a person to decide: a key that nobody may put under another passphrase but its owner. */
import type { Platform } from '../../../core/key-file/found-form.ts'
import { limits } from '../../../core/limits.ts'
import { shellPath } from '../../printable-text.ts'
import type { FilesQuestion, LookedAt } from '../examine-files.ts'
import type { FoundFile } from '../found-file.ts'
import { unfitPassphrase } from './key-text.ts'
import { isLeftAlone } from './plan.ts'

/** What stays as it is, though the platform does not read it. */
export interface Unmended {
  readonly path: string
  /** Why, in words behind the name of the file; no part of a secret. */
  readonly why: string
  /** What to do, one sentence without a full stop. */
  readonly cure: string
}

/** Keys in a form that the platform does not read, under a passphrase under which no key is written. */
export function unmendedKeys({ platform }: FilesQuestion, looked: LookedAt): readonly Unmended[] {
  if (platform === null) return []
  const { keyPassphraseCharsMin: min, keyPassphraseCharsMax: max } = limits
  return looked.contents.flatMap((contents) => {
    const why = isLeftAlone(contents) ? null : unfitPassphrase(contents, looked, platform)
    if (why === null) return []
    return [
      {
        path: contents.file.name,
        why: `keeps its form, which ${platform} does not read: ${why}, and no key is written under such a one`,
        cure: `put a passphrase of ${min} to ${max} printable ASCII characters into a new file, then \`${command(contents.file, looked, platform)}\``,
      },
    ]
  })
}

/** How a person writes the key under a passphrase of their own. */
function command(file: FoundFile, { parts }: LookedAt, platform: Platform): string {
  const { leaf, keys, key } = parts
  const opener = keys.find((each) => each.file === file)?.opener
  const certificate = leaf !== null && key?.file === file ? shellPath(leaf.file.name) : '<certificate>'
  const secret = opener === undefined || opener === null ? '<file>' : shellPath(opener.file.name)
  return `handfast convert ${shellPath(file.name)} ${certificate} --pass ${secret} --passphrase-file <new file> --for ${platform} --out <dir>`
}
