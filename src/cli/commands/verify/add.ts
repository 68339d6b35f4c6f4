/** `handfast verify add` and `verify token`: what a server needs to ask this hub about the certificates of its clients. */
import type { Command } from 'commander'
import { handfast } from '../../how-called.ts'
import { note } from '../../output.ts'
import { defineServerAdd, defineServerToken, type ServerWords } from '../../server-with-profile.ts'

/** Name of the profile that lets a service ask. */
const profile = 'verifier'

const words: ServerWords = {
  profile,
  users: 'clients',
  noun: 'server',
  exampleName: 'shop.plant.example',
  registered: 'may ask about certificates',
  takenHint: (id) =>
    `choose another id; if it is such a server already, \`handfast verify token ${id}\` prints another string for it`,
  grantHint: (id) =>
    `it may not ask; \`handfast service set ${id} --profile ${profile}\` lets it, with the names that it has`,
  async tellNext() {
    note(`\nNext, on the machine of the server, with the string in a file that nobody else may read:
  ${handfast} enrol --file <file> --dir <folder>
  ${handfast} agent run --dir <folder> --proof confirm
and in the server \`verifyByHub\` of handfast/verify, which docs/verify.md shows.`)
  },
}

export const defineAdd = (command: Command): void => defineServerAdd(command, words)
export const defineToken = (command: Command): void => defineServerToken(command, words)
