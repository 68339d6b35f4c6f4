import { profileFromDefinition } from '../../core/profile/own-profile.ts'
import type { Problem, RegistryRule } from '../rule.ts'

export const profileWellFormed: RegistryRule = {
  name: 'profile-well-formed',
  reason: 'a profile says what certificates may do: one that cannot be read, or asks for too much, makes none',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    for (const { name, definition, version } of await snapshot.registry.profiles.all()) {
      const subject = `profile ${name}`
      if (!Number.isInteger(version) || version < 1) yield { subject, sentence: `has the version ${version}` }
      try {
        const profile = profileFromDefinition(definition)
        if (profile.name !== name) yield { subject, sentence: `calls itself ${JSON.stringify(profile.name)}` }
      } catch (error) {
        yield { subject, sentence: `is none that may be: ${error instanceof Error ? error.message : ''}` }
      }
    }
  },
}
