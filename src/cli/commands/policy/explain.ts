/** `handfast policy explain`. */
import type { Command } from 'commander'
import type { DecisionQuery, DecisionView } from '../../../api-schema/policies.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { nearest } from '../../../core/nearest.ts'
import { type Action, actions } from '../../../core/policy/rights.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { printFields, printJson } from '../../output.ts'
import { wholeNumber } from '../../values.ts'

interface ExplainOptions extends HubOptions {
  readonly clientId?: string
  readonly from?: string
  readonly tls?: string
}

export function defineExplain(command: Command): void {
  addHubOptions(command)
    .option('--client-id <id>', 'client id of the connection (default: the id of the identity)')
    .option('--from <address>', 'address of the connection (default: not known)')
    .option('--tls <version>', '1.2 or 1.3 (default: 1.3)')
    .option(
      '--policy <version>',
      'ask this version (default: the active one)',
      wholeNumber('--policy', 1, 1_000_000_000),
    )
    .addHelpText('after', `\nActions: ${actions.join(', ')}. A subscription takes a filter, connect no topic.`)
    .action(
      async (
        identity: string,
        action: string,
        topic: string | undefined,
        options: ExplainOptions & { policy?: number },
      ) => {
        const question: DecisionQuery = {
          identity,
          action: actionOf(action),
          topic: topicOf(identity, actionOf(action), topic),
          ...(options.clientId === undefined ? {} : { clientId: options.clientId }),
          ...(options.from === undefined ? {} : { address: options.from }),
          ...(options.tls === undefined ? {} : { tlsVersion: tlsOf(options.tls) }),
          ...(options.policy === undefined ? {} : { version: String(options.policy) }),
        }
        const view = await hubOf(options).get<DecisionView>('/decision', { ...question })
        if (options.json) return printJson(view)
        printFields([
          [view.allowed ? 'allowed' : 'denied', view.because],
          ['roles', view.roles.length === 0 ? 'none' : view.roles.join(', ')],
          ['policy', view.policy === null ? 'the default' : `version ${view.policy}`],
          ...(view.isKnown
            ? []
            : [['identity', `${identity} is not registered: asked as a device without group`] as const]),
        ])
      },
    )
}

function actionOf(word: string): Action {
  const action = actions.find((each) => each === word)
  if (action !== undefined) return action
  const near = nearest(word, actions)
  throw new HubError('usage', `${quote(word)} is no action`, {
    hint: near === null ? `there are ${actions.join(', ')}` : `did you mean ${near}?`,
  })
}

function topicOf(identity: string, action: Action, topic: string | undefined): string {
  if (topic !== undefined || action === 'connect') return topic ?? ''
  const what = action === 'subscribe' ? 'filter' : 'topic'
  throw new HubError('usage', `${action} is about a ${what}, and none is named`, {
    hint: `name it behind the action: \`${handfast} policy explain ${identity} ${action} <${what}>\``,
  })
}

function tlsOf(version: string): 'TLSv1.2' | 'TLSv1.3' {
  if (version === '1.2' || version === '1.3') return `TLSv${version}`
  throw new HubError('usage', `--tls ${quote(version)} is neither 1.2 nor 1.3`)
}
