/** What the examiner of a configuration asks of the machine; `local-machine.ts` answers from the file system. */

/** Who may do what with a file or folder, as `stat` says. */
export interface Rights {
  /** Permission bits, as in 0o640. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** A file as it was found. */
export type Found =
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly rights: Rights; readonly folders: readonly Rights[] }
  | {
      readonly kind: 'folder'
      readonly names: readonly string[]
      readonly rights: Rights
      readonly folders: readonly Rights[]
    }
  | { readonly kind: 'absent' }
  /** Who runs the doctor may not read it, or it is no file, or longer than it may be: in words that go behind its name. */
  | { readonly kind: 'closed'; readonly why: string }

/** A user of the machine with all its groups. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gids: readonly number[]
}

export interface Machine {
  /** @param bytesMax longest file that is read */
  look(path: string, bytesMax: number): Found
  /** Null where there is no such user, or where users cannot be asked. */
  account(name: string): Account | null
  readonly nowSec: number
}

/** Whether that user may read what stands behind those folders: one bit of search for each folder, one of reading for the file. */
export function mayRead(
  account: Account,
  { rights, folders }: { readonly rights: Rights; readonly folders: readonly Rights[] },
): boolean {
  return account.uid === 0 || (folders.every((each) => has(account, each, 1)) && has(account, rights, 4))
}

/** @param bit 4 to read, 1 to go through */
function has({ uid, gids }: Account, { mode, uid: owner, gid }: Rights, bit: 4 | 1): boolean {
  const shift = uid === owner ? 6 : gids.includes(gid) ? 3 : 0
  return ((mode >> shift) & bit) !== 0
}
