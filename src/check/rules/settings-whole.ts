import { parseRealm } from '../../core/identity/id.ts'
import type { Problem, RegistryRule } from '../rule.ts'

export const settingsWhole: RegistryRule = {
  name: 'settings-whole',
  reason:
    'the realm stands in every certificate and the public name in every bootstrap string: neither may be chosen anew',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    const { settings } = snapshot.registry
    const realm = await settings.find('realm')
    if (realm === null || !isRealm(realm)) yield { subject: 'setting realm', sentence: 'is missing or not well formed' }
    if (!(await settings.find('public-name'))) yield { subject: 'setting public-name', sentence: 'is missing' }
  },
}

function isRealm(text: string): boolean {
  try {
    parseRealm(text)
    return true
  } catch {
    return false
  }
}
