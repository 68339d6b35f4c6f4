/** What the measuring process asks of the load process, and what it answers. */
import type { Target } from '../servers/server.ts'

export interface Tasks {
  /** Full handshake, CONNECT, CONNACK, DISCONNECT; `count` times with `atOnce` at one time. */
  connects: {
    readonly request: {
      readonly target: Target
      readonly devices: number
      readonly count: number
      readonly atOnce: number
    }
    readonly answer: { readonly seconds: number; readonly tls: string }
  }
  /** Opens a publisher and a subscriber for each of the first `pairs` devices, and keeps them. */
  openPairs: {
    readonly request: { readonly target: Target; readonly pairs: number; readonly qos: 0 | 1; readonly batch: number }
    readonly answer: null
  }
  /** Sends messages over the pairs; ends when the subscribers have every one of them, in order. */
  exchange: {
    readonly request: { readonly messagesPerPair: number }
    readonly answer: { readonly seconds: number; readonly delivered: number }
  }
  /** Opens connections that do nothing, and keeps them; the fleet's devices take turns. */
  hold: {
    readonly request: { readonly target: Target; readonly devices: number; readonly count: number }
    readonly answer: null
  }
  /** Ends everything that is kept. */
  release: { readonly request: Record<never, never>; readonly answer: null }
  /** Opens a session for each of the first `sessions` devices and revokes the last `revocations` of them, one by one. */
  revocations: {
    readonly request: {
      readonly target: Target
      /** Data directory of the hub. */
      readonly data: string
      readonly sessions: number
      readonly revocations: number
    }
    /** Milliseconds from the sending of each call: to the answer, and to the socket's end at the client. */
    readonly answer: { readonly answeredMs: readonly number[]; readonly closedMs: readonly number[] }
  }
}

export type TaskName = keyof Tasks
export type TaskMessage = { [N in TaskName]: { readonly name: N } & Tasks[N]['request'] }[TaskName]
export type TaskReply = { readonly answer: unknown } | { readonly error: string }
