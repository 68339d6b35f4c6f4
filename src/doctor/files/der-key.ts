/** A key in DER: PKCS#8, PKCS#1 or SEC1, encrypted or not. */
import { createPrivateKey } from 'node:crypto'
import type { FoundForm } from '../../core/key-file/found-form.ts'
import { type BroughtFile, pkcs8Encryption } from '../../core/key-file/key-reader.ts'

const forms = { pkcs8: 'PKCS#8', pkcs1: 'PKCS#1', sec1: 'SEC1' } as const

/** Null where it is none. */
export function openKeyInDer(file: BroughtFile): { readonly brought: BroughtFile; readonly form: FoundForm } | null {
  const encryption = pkcs8Encryption(file.bytes)
  if (encryption !== null) return { brought: file, form: { form: 'PKCS#8', container: 'DER', encryption } }
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      createPrivateKey({ key: Buffer.from(file.bytes), format: 'der', type })
      return { brought: file, form: { form: forms[type], container: 'DER', encryption: null } }
    } catch {
      // Then perhaps of the next type.
    }
  }
  return null
}
