/** Where tests tell the thread of `mortal-worker.ts` how to die. */
export const mortalChannel = 'handfast-mortal-worker'
