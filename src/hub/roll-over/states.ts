/**
 * The steps by which one authority takes the place of another, as values.
 *
 *     issuing   prepared → published → switched → done
 *     root      prepared → published → switched → cutting → done
 *
 * Until it is done, every roll-over can be undone. The one step that takes something from anybody is the last one of a root:
 * it waits until enough devices are known to trust the new one.
 */
import type { AuthorityRow } from '../ports/authorities.ts'

/**
 * `prepared`: the successor and its certificates are made, and nobody sees them. `published`: everybody may fetch them.
 * `switched`: the successor signs what is new. `cutting`: the old root is taken away as soon as the asked share of the
 * devices is known to trust the new one. `done` and `undone` are ends.
 */
export const rollOverStates = ['prepared', 'published', 'switched', 'cutting', 'done', 'undone'] as const
export type RollOverState = (typeof rollOverStates)[number]

/** What can be done with one: the hub advances, an operator asks for the cut or takes everything back. */
export const rollOverActs = ['advance', 'cut', 'undo'] as const
export type RollOverAct = (typeof rollOverActs)[number]

const next: Readonly<Record<AuthorityRow['role'], Readonly<Partial<Record<RollOverState, RollOverState>>>>> = {
  issuing: { prepared: 'published', published: 'switched', switched: 'done' },
  root: { prepared: 'published', published: 'switched', cutting: 'done' },
}

/** The state after an act, or null where it is not allowed. */
export function afterAct(role: AuthorityRow['role'], state: RollOverState, act: RollOverAct): RollOverState | null {
  if (isOver(state)) return null
  switch (act) {
    case 'advance':
      return next[role][state] ?? null
    case 'cut':
      return role === 'root' && state === 'switched' ? 'cutting' : null
    case 'undo':
      return 'undone'
  }
}

export function isOver(state: RollOverState): boolean {
  return state === 'done' || state === 'undone'
}

/** Whether others may see the successor. */
export function hasPublished(state: RollOverState): boolean {
  return state === 'published' || state === 'switched' || state === 'cutting'
}

/** Whether the successor signs what is new. */
export function hasSwitched(state: RollOverState): boolean {
  return state === 'switched' || state === 'cutting' || state === 'done'
}
