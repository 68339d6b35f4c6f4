/** `handfast policy check`, `test` and `diff`: a policy file before it is anybody's policy. */
import type { Command } from 'commander'
import type { ActivePolicyView, CheckPolicyRequest, PolicyCheckView } from '../../../api-schema/policies.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { compilePolicy } from '../../../core/policy/compile.ts'
import { failedExpectations } from '../../../core/policy/expectations.ts'
import { readPolicy } from '../../../core/policy/file/parse.ts'
import { type Problem, problemLine } from '../../../core/policy/file/problems.ts'
import { lintPolicy, nothingKnown } from '../../../core/policy/lint/lint.ts'
import type { Finding } from '../../../core/policy/lint/rule.ts'
import type { Policy } from '../../../core/policy/model.ts'
import type { HubApi } from '../../api-client.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { note, printJson, printLine } from '../../output.ts'
import { lineChanges } from './line-changes.ts'
import { readPolicyFile, warningLine } from './read-file.ts'

interface FileOptions {
  readonly json?: boolean
}

export function defineCheck(command: Command): void {
  addHubOptions(command)
    .option('--registry', 'have the hub look, which knows whom it reaches')
    .addHelpText(
      'after',
      '\nWarnings keep nobody from taking the policy. Without --registry no hub is asked. With it the tests of\nthe file are run as well, of the identities that the hub knows.',
    )
    .action(async (file: string, options: HubOptions & { readonly registry?: boolean }) => {
      const json = options.json === true
      const source = await readPolicyFile(file)
      const { policy, problems, failed, warnings } = options.registry
        ? await seenByHub(hubOf(options), source)
        : seenHere(source)
      if (json) {
        const withTests = failed === null ? {} : { failed: failed.map(asView) }
        printJson({ problems: problems.map(asView), ...withTests, warnings: warnings.map(asWarningView) })
      }
      if (problems.length > 0) throw told(file, problems, json, 'policy-invalid')
      if (failed !== null && failed.length > 0) throw told(file, failed, json, 'policy-test-failed')
      if (json) return
      for (const warning of warnings) printLine(warningLine(file, warning))
      printLine(`${file} is a policy: ${summary(policy)}`)
      note(`Next: \`${handfast} policy test ${file}\``)
    })
}

interface Seen {
  readonly policy: Policy
  readonly problems: readonly Problem[]
  /** Null where the tests were not run. */
  readonly failed: readonly Problem[] | null
  readonly warnings: readonly Finding[]
}

function seenHere(source: string): Seen {
  const { policy, problems } = readPolicy(source)
  return {
    policy,
    problems,
    failed: null,
    warnings: problems.length > 0 ? [] : lintPolicy(policy, nothingKnown, Date.now()),
  }
}

async function seenByHub(hub: HubApi, source: string): Promise<Seen> {
  const { policy, problems } = readPolicy(source)
  // What is too long or no policy at all need not be sent.
  if (problems.length > 0) return { policy, problems, failed: null, warnings: [] }
  const request: CheckPolicyRequest = { source }
  return { policy, ...(await hub.post<PolicyCheckView>('/policy-check', request)) }
}

export function defineTest(command: Command): void {
  command
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nAsks what stands under `expect`, of the identities under `subjects`. A hub that takes the\nfile asks the same of the identities that it knows.',
    )
    .action(async (file: string, { json }: FileOptions) => {
      const { policy, problems } = readPolicy(await readPolicyFile(file))
      if (problems.length > 0) throw told(file, problems, json === true, 'policy-invalid')
      const failed = failedExpectations(policy, compilePolicy(policy), new Map(), Date.now())
      const count = policy.expectations.length
      if (json) printJson({ expectations: count, failed: failed.map(asView) })
      if (failed.length > 0) throw told(file, failed, json === true, 'policy-test-failed')
      if (json) return
      printLine(count === 0 ? `${file} brings no tests` : `all ${count} expectations of ${file} hold`)
      note(`Next: \`${handfast} policy add ${file}\``)
    })
}

export function defineDiff(command: Command): void {
  addHubOptions(command).action(async (file: string, options: HubOptions) => {
    const source = await readPolicyFile(file)
    const { active } = await hubOf(options).get<ActivePolicyView>('/active-policy')
    const lines = lineChanges(active?.source ?? '', source)
    const changed = lines.filter(({ kind }) => kind !== 'same')
    if (options.json) return printJson({ active: active?.number ?? null, changes: changed })
    if (changed.length === 0) return printLine('the file is the active version, word for word')
    printLine(`--- ${active === null ? 'the default policy, which has no file' : `version ${active.number}`}`)
    printLine(`+++ ${file}`)
    for (const { kind, text } of lines) if (kind !== 'same') printLine(`${kind === 'added' ? '+' : '-'} ${text}`)
  })
}

function asView(problem: Problem): { line: number; column: number; message: string } {
  const { line, column, message } = problem
  return { line, column, message }
}

function asWarningView(finding: Finding): ReturnType<typeof asView> & { rule: string } {
  return { ...asView(finding), rule: finding.rule }
}

/** Prints each problem on a line of its own, as compilers do, and gives the failure to end with. */
function told(
  file: string,
  problems: readonly Problem[],
  isJson: boolean,
  code: 'policy-invalid' | 'policy-test-failed',
): HubError {
  if (!isJson) for (const problem of problems) printLine(`${file}:${problemLine(problem)}`)
  const what = code === 'policy-invalid' ? 'problem' : 'expectation'
  const count = `${problems.length} ${what}${problems.length === 1 ? '' : 's'}`
  const sentence = code === 'policy-invalid' ? `has ${count}` : `fails ${count}`
  return new HubError(code, `the file ${quote(file)} ${sentence}`)
}

function summary({ roles, bindings, identify, expectations }: Policy): string {
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
  return [
    ...[counted(roles.size, 'role'), counted(bindings.length, 'binding')],
    ...[counted(identify.length, 'identification rule'), counted(expectations.length, 'expectation')],
  ].join(', ')
}
