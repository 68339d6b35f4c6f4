/** A question on the terminal whose answer is not shown. */
import type { ReadStream } from 'node:tty'
import { HubError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'

/**
 * Asks on the terminal and reads one line without showing it.
 *
 * @throws HubError `usage` where there is no terminal, or the person gives up
 */
export function askSecret(question: string, input: ReadStream = process.stdin): Promise<Secret> {
  if (!input.isTTY) {
    throw new HubError('usage', 'there is no terminal to ask for the passphrase', {
      hint: 'give it in a file with --passphrase-file, or "-" for standard input',
    })
  }
  process.stderr.write(question)
  return new Promise((resolve, reject) => {
    let text = ''
    const end = (): void => {
      input.off('data', read)
      input.setRawMode(false)
      input.pause()
      process.stderr.write('\n')
    }
    function read(chunk: string): void {
      for (const character of chunk) {
        if (character === '\r' || character === '\n') {
          end()
          resolve(new Secret(text))
          return
        }
        if (character === '\u0003' || character === '\u0004') {
          end()
          reject(new HubError('usage', 'no passphrase was given'))
          return
        }
        if (character === '\u007f' || character === '\b') text = text.slice(0, -1)
        else text += character
      }
    }
    input.setRawMode(true)
    input.setEncoding('utf8')
    input.on('data', read)
    input.resume()
  })
}
