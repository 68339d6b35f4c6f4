/** The load in a process of its own, so that its cost is not counted with what is measured. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Closing } from '../closing.ts'
import type { TaskMessage, TaskName, TaskReply, Tasks } from './tasks.ts'

export interface LoadProcess {
  /** Runs one task at a time. @throws Error with the load process's own words when it fails */
  run<N extends TaskName>(name: N, request: Tasks[N]['request']): Promise<Tasks[N]['answer']>
}

/** Longest time for one task, in milliseconds. */
const taskMs = 600_000

export function startLoadProcess(closing: Closing): LoadProcess {
  const child = fork(join(import.meta.dirname, 'main.ts'))
  const ended = once(child, 'exit')
  closing.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await ended
  })
  return {
    run<N extends TaskName>(name: N, request: Tasks[N]['request']): Promise<Tasks[N]['answer']> {
      return new Promise((resolve, reject) => {
        const settle = (reply: TaskReply): void => {
          clearTimeout(timer)
          child.off('message', settle)
          child.off('exit', onExit)
          if ('error' in reply) reject(new Error(`load, task ${name}: ${reply.error}`))
          else resolve(reply.answer as Tasks[N]['answer'])
        }
        const onExit = (): void => settle({ error: 'the load process has ended' })
        const timer = setTimeout(() => settle({ error: `no answer within ${taskMs / 1000} s` }), taskMs)
        child.on('message', settle)
        child.on('exit', onExit)
        child.send({ name, ...request } as TaskMessage, (error) => {
          if (error !== null) settle({ error: error.message })
        })
      })
    },
  }
}
