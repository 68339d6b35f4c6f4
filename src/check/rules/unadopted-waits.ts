import type { IdentityRule, Problem } from '../rule.ts'

export const unadoptedWaits: IdentityRule = {
  name: 'unadopted-waits',
  reason: 'a certificate that waits for adoption and is in no list would never be adopted',
  *look({ id, credentials, adoption }): Iterable<Problem> {
    const waiting = credentials.filter(({ state }) => state === 'unadopted').length
    if (waiting > 0 && adoption === null) {
      yield { subject: id, sentence: `has ${waiting} unadopted certificates that nobody is asked about` }
    }
    if (adoption !== null && !names(adoption.identity, id)) {
      yield { subject: id, sentence: 'waits for an adoption that cannot be read' }
    }
  },
}

function names(json: string, id: string): boolean {
  try {
    return (JSON.parse(json) as { readonly id?: unknown }).id === id
  } catch {
    return false
  }
}
